using System.Text.Json;
using PsyLite.Training.Data.Mix;
using PsyLite.Training.Data.Records;

namespace PsyLite.Training.Data.Pairs;

/// <summary>
/// Rows <c>{"chosen":[…],"rejected":[…]}</c> as XTuner's <c>orpo_dpo_mix_40k</c> map reads them: two lists of {role, content}, equally long and alike up to
/// the last message, which is the reply with its reasoning inside.
/// </summary>
public static class PairRow
{
    /// <summary>
    /// A rejected reply without reasoning of its own stands behind the chosen one's: the two must differ in what is said. Whether a reply
    /// thinks first is told apart by one token, and the log-odds would be all about that.
    /// </summary>
    public static byte[] Of(DataRecord pair)
    {
        if (pair.Rejected is not { } rejected)
        {
            throw new ArgumentException("the record is no pair.", nameof(pair));
        }

        var prompt = pair.Messages.Take(pair.Messages.Count - 1).Select(m => new { role = m.Role, content = m.Content }).ToList();
        return JsonSerializer.SerializeToUtf8Bytes(
            new
            {
                chosen = prompt.Append(new { role = "assistant", content = AlpacaRow.Reply(pair.Reply) }),
                rejected = prompt.Append(new { role = "assistant", content = AlpacaRow.Reply(rejected with { Reasoning = rejected.Reasoning ?? pair.Reply.Reasoning }) }),
            },
            DataRecord.Json);
    }
}
