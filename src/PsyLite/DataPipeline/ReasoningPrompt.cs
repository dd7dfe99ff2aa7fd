using System.Text;
using Microsoft.Extensions.AI;
using PsyLite.Training.Data.Records;

namespace PsyLite.DataPipeline;

/// <summary>
/// Asks for the chain of thought of a counselling turn as the paper does (arXiv 2506.21536, hybrid distillation): history, last question and
/// the counsellor's answer go in, the reasoning that leads from the question to the answer comes out.
/// </summary>
internal static class ReasoningPrompt
{
    private const string Task = """
        你是资深心理咨询督导。下面是一段心理咨询对话，以及咨询师对求助者最后一句话的回复。
        请以咨询师的第一人称，写出他听到求助者最后一句话之后、开口回复之前的内心思考：
        先弄清求助者说了什么、此刻的感受和需要，再联系前面的对话，想清楚这一步要做什么、为什么这样说，一直想到能自然说出那段回复为止。
        要求：用中文；一到三段，100 到 600 字；不要列标题或编号；不要照抄回复原文；不要提到“给定的回复”“参考答案”之类的字眼，当作还没有开口；
        不下诊断，不写药名剂量，不写任何伤害自己的方法。只输出这段思考，不要输出别的内容。
        """;

    private const string Check = """
        下面是心理咨询中求助者的话、咨询师的内心思考和咨询师的回复。
        这段思考是否贴合求助者的话，并且自然地引出了这段回复，没有与回复矛盾、没有编造对话里没有的事实？
        只回答一个字：是 或 否。
        """;

    public static IReadOnlyList<ChatMessage> Ask(DataRecord turn)
    {
        var text = new StringBuilder();
        var earlier = turn.Messages.Take(turn.Messages.Count - 2).Where(m => m.Role != "system").ToList();
        if (earlier.Count > 0)
        {
            text.Append("【此前的对话】\n");
            foreach (var message in earlier)
            {
                text.Append(message.Role == "user" ? "求助者：" : "咨询师：").Append(message.Content).Append('\n');
            }

            text.Append('\n');
        }

        text.Append("【求助者最后一句话】\n").Append(turn.Question).Append("\n\n【咨询师的回复】\n").Append(turn.Reply.Content);
        return [new ChatMessage(ChatRole.System, Task), new ChatMessage(ChatRole.User, text.ToString())];
    }

    public static IReadOnlyList<ChatMessage> Doubt(DataRecord turn, string reasoning) =>
        [new ChatMessage(ChatRole.System, Check), new ChatMessage(ChatRole.User, $"【求助者】\n{turn.Question}\n\n【思考】\n{reasoning}\n\n【回复】\n{turn.Reply.Content}")];

    /// <summary>True for a yes, false for a no; null for anything else.</summary>
    public static bool? Verdict(string answer) => answer.TrimStart() is { Length: > 0 } text
        ? text[0] is '是' or '对' || text.StartsWith("yes", StringComparison.OrdinalIgnoreCase) ? true
        : text[0] is '否' or '不' || text.StartsWith("no", StringComparison.OrdinalIgnoreCase) ? false : null
        : null;
}
