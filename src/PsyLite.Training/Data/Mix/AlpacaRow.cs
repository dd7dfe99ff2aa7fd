using System.Text;
using System.Text.Json;
using PsyLite.Training.Data.Records;

namespace PsyLite.Training.Data.Mix;

/// <summary>Where a conversation's earlier turns go in a row.</summary>
public enum AlpacaHistory
{
    /// <summary>Into the instruction as text: rows are single-turn, as the paper's were.</summary>
    Inside,

    /// <summary>Into a field <c>history</c> of pairs, for trainers that build the chat template from it.</summary>
    Field,
}

/// <summary>
/// Rows <c>{"instruction","input","output"}</c> as XTuner's alpaca map reads them: the prompt is <c>instruction\ninput</c>, and the reasoning stands in
/// the output as <c>&lt;think&gt;\n…\n&lt;/think&gt;\n\n…</c>.
/// </summary>
public static class AlpacaRow
{
    /// <returns>The row; null for a record that has no such form: an exercise that breaks off, or a reply to a system message.</returns>
    public static byte[]? Of(DataRecord record, AlpacaHistory history)
    {
        var messages = record.Messages;
        if (messages[^1].BreaksOff || messages.Count < 2 || messages[^2].Role != "user")
        {
            return null;
        }

        var output = Reply(record.Reply);
        var question = messages[^2].Content;
        var earlier = messages.Take(messages.Count - 2).ToList();
        if (earlier.Count == 0)
        {
            return Row(new { instruction = question, input = "", output });
        }

        var system = earlier[0].Role == "system" ? earlier[0].Content : null;
        var turns = earlier.Skip(system is null ? 0 : 1).ToList();
        if (history == AlpacaHistory.Field)
        {
            return Pairs(turns) is { } pairs ? Row(new { instruction = question, input = "", output, history = pairs.Count > 0 ? pairs : null, system }) : null;
        }

        var text = new StringBuilder();
        if (system is not null)
        {
            text.Append(system).Append('\n');
        }

        if (turns.Count > 0)
        {
            text.Append("此前的对话：\n");
            foreach (var turn in turns)
            {
                text.Append(turn.Role == "assistant" ? "支持者：" : "求助者：").Append(turn.Content).Append('\n');
            }

            text.Append("请回应求助者接下来的话：");
        }

        return Row(new { instruction = text.ToString().TrimEnd('\n'), input = question, output });
    }

    /// <summary>A reply as the model is to write it.</summary>
    public static string Reply(SampleMessage message) => message.Reasoning is { } reasoning ? $"<think>\n{reasoning}\n</think>\n\n{message.Content}" : message.Content;

    private static List<string[]>? Pairs(List<SampleMessage> turns)
    {
        var pairs = new List<string[]>();
        for (var i = 0; i < turns.Count; i += 2)
        {
            if (i + 1 >= turns.Count || turns[i].Role != "user" || turns[i + 1].Role != "assistant")
            {
                return null;
            }

            pairs.Add([turns[i].Content, turns[i + 1].Content]);
        }

        return pairs;
    }

    private static byte[] Row(object row) => JsonSerializer.SerializeToUtf8Bytes(row, DataRecord.Json);
}
