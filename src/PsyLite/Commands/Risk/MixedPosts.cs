using System.Text;
using PsyLite.Agent.Risk;
using PsyLite.Evaluation.Safety;

namespace PsyLite.Commands.Risk;

/// <summary>
/// Long posts put together from short messages. In a long post every clause gets a chance to raise a false alarm, and people write
/// about many things at once; the labelled set holds too few long posts to teach that.
/// </summary>
internal static class MixedPosts
{
    /// <summary>Source of the posts, which have no line in any file.</summary>
    public const string Source = "mixed";
    private const int LongestPart = 60;
    private const int FewestParts = 3;
    private const int MostParts = 9;
    private static readonly string[] Joints = ["，", "。", " ", "，", "。", "……", "；", "！"];

    /// <summary>So many harmless posts, and half as many in which one message tells; that one is marked.</summary>
    public static IEnumerable<RiskExample> Of(IEnumerable<LabelledMessage> messages, int count, int seed)
    {
        LabelledMessage[] parts = [.. messages.Where(m => !m.IsDialogue && m.Text.Length <= LongestPart && !m.Source.StartsWith("phrases", StringComparison.Ordinal))];
        LabelledMessage[] calm = [.. parts.Where(m => m.Tier == Tier.T0)];
        LabelledMessage[] telling = [.. parts.Where(m => m.IsDanger)];
        if (calm.Length == 0 || telling.Length == 0)
        {
            yield break;
        }

        var random = new Random(seed);
        for (var i = 0; i < count; i++)
        {
            yield return new RiskExample(Post(calm, null, random), float.NaN);
            if (i % 2 == 0)
            {
                yield return new RiskExample(Post(calm, telling[random.Next(telling.Length)], random), float.NaN);
            }
        }
    }

    private static LabelledMessage Post(LabelledMessage[] calm, LabelledMessage? telling, Random random)
    {
        var size = random.Next(FewestParts, MostParts + 1);
        var place = telling is null ? -1 : random.Next(size);
        var text = new StringBuilder();
        var (start, end) = (-1, -1);
        for (var i = 0; i < size; i++)
        {
            var part = i == place ? telling!.Text : calm[random.Next(calm.Length)].Text;
            start = i == place ? text.Length : start;
            text.Append(part);
            end = i == place ? text.Length : end;
            text.Append(Joints[random.Next(Joints.Length)]);
        }

        // The mood of such a patchwork is nobody's.
        return new LabelledMessage(Source, 0, telling?.Tier ?? Tier.T0, LabelledMood.None, Source, [text.ToString()], start, end, IsHeldBack: false);
    }
}
