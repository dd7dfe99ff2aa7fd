using System.Text;
using System.Text.Json;
using PsyLite.Training.Data.Records;

namespace PsyLite.Training.Data.Synthetic;

/// <summary>Shapes of raw sources that can be made for measuring.</summary>
public enum SyntheticKind
{
    /// <summary>Chinese-DeepSeek-R1-distill rows as JSON lines.</summary>
    R1Distill,

    /// <summary>CPsyCounD as one JSON array.</summary>
    CPsyCoun,

    /// <summary>PKU-SafeRLHF rows as JSON lines.</summary>
    SafeRlhf,
}

/// <summary>
/// Raw sources of any size in the shapes of the paper's, to measure and test with: clauses of our own text strung together by chance, so that rows
/// differ, with a known share of exact and near duplicates and of broken lines. They teach nothing. The same seed gives the same bytes.
/// </summary>
public sealed class SourceGenerator
{
    private const double ExactDuplicates = 0.01;
    private const double NearDuplicates = 0.02;
    private const double BrokenRows = 0.001;

    /// <summary>Earlier rows that a duplicate may repeat.</summary>
    private const int Remembered = 512;
    private static readonly string[] Repositories = ["general/wiki-qa", "general/zhihu", "general/xhs", "math/gsm8k-zh", "exam/gaokao", "stem/physics"];
    private static readonly string[] Topics = ["婚恋", "职场", "学业", "家庭", "情绪", "成长", "人际"];
    private readonly string[] _said;
    private readonly string[] _replied;
    private readonly string[] _thought;

    public SourceGenerator(TextCorpus corpus)
    {
        var situations = corpus.Files.SelectMany(f => f.Situations).ToList();
        var groups = corpus.Files.SelectMany(f => f.Groups).ToList();
        _said = Clauses(situations.SelectMany(s => s.Open.Concat(s.Detail).Concat(s.Shift).Concat(s.Close)).Concat(groups.SelectMany(g => g.Ask)));
        _replied = Clauses(situations.SelectMany(s => s.Explore.Concat(s.Insight).Concat(s.Action).Concat(s.Bye)).Concat(groups.SelectMany(g => g.Reply)));
        _thought = Clauses(situations.SelectMany(s => s.Think1.Concat(s.Think2).Concat(s.Think3)).Concat(groups.SelectMany(g => g.Think)));
        if (_said.Length * _replied.Length * _thought.Length == 0)
        {
            throw new InvalidDataException("the corpus has no text to make sources of.");
        }
    }

    public OutputFacts Write(SyntheticKind kind, int rows, int seed, string path, CancellationToken cancellationToken)
    {
        var random = new Random(seed);
        var recent = new List<byte[]>(Remembered);
        using var file = OutputFile.Create(path);
        if (kind == SyntheticKind.CPsyCoun)
        {
            file.WriteLine("["u8);
        }

        for (var row = 0; row < rows; row++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var bytes = Row(kind, row, random, recent);
            var isLast = row == rows - 1;
            file.WriteLine(kind == SyntheticKind.CPsyCoun && !isLast ? [.. bytes, (byte)','] : bytes);
        }

        if (kind == SyntheticKind.CPsyCoun)
        {
            file.WriteLine("]"u8);
        }

        return file.Commit();
    }

    private byte[] Row(SyntheticKind kind, int number, Random random, List<byte[]> recent)
    {
        var dice = random.NextDouble();
        if (dice < ExactDuplicates && recent.Count > 0)
        {
            return recent[random.Next(recent.Count)];
        }

        if (dice < ExactDuplicates + NearDuplicates && recent.Count > 0)
        {
            return Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(recent[random.Next(recent.Count)]).Replace("，", "、", StringComparison.Ordinal).Replace("我觉得", "我感觉", StringComparison.Ordinal));
        }

        var bytes = JsonSerializer.SerializeToUtf8Bytes(kind switch
        {
            SyntheticKind.R1Distill => R1(random),
            SyntheticKind.CPsyCoun => Dialogue(random, number),
            _ => Pair(random),
        }, DataRecord.Json);

        // An array with a broken element could not be followed to its end, so there the element lacks its text instead.
        if (random.NextDouble() < BrokenRows)
        {
            return kind == SyntheticKind.CPsyCoun ? """{"instruction":""}"""u8.ToArray() : bytes[..(bytes.Length / 2)];
        }

        if (recent.Count < Remembered)
        {
            recent.Add(bytes);
        }
        else
        {
            recent[random.Next(Remembered)] = bytes;
        }

        return bytes;
    }

    private object R1(Random random) => new
    {
        instruction = Text(_said, random, 3, 8),
        input = "",
        output = $"<think>\n{Text(_thought, random, 6, 30)}\n</think>\n\n{Text(_replied, random, 6, 24)}",
        repo_name = Repositories[random.Next(Repositories.Length)],
        score = random.Next(6, 11),
    };

    private object Dialogue(Random random, int number)
    {
        var turns = random.Next(3, 12);
        return new
        {
            id = number,
            topic = Topics[random.Next(Topics.Length)],
            instruction = Text(_said, random, 2, 6),
            input = "",
            output = Text(_replied, random, 2, 6),
            history = Enumerable.Range(0, turns).Select(_ => new[] { Text(_said, random, 2, 5), Text(_replied, random, 2, 5) }).ToArray(),
        };
    }

    private object Pair(Random random) => new
    {
        prompt = Text(_said, random, 3, 8),
        response_0 = Text(_replied, random, 4, 14),
        response_1 = Text(_replied, random, 4, 14),
        is_response_0_safe = random.Next(3) > 0,
        is_response_1_safe = random.Next(3) > 0,
        better_response_id = random.Next(2),
    };

    private static string Text(string[] clauses, Random random, int least, int most)
    {
        var text = new StringBuilder();
        for (var left = random.Next(least, most + 1); left > 0; left--)
        {
            text.Append(clauses[random.Next(clauses.Length)]).Append(left == 1 ? '。' : '，');
        }

        return text.ToString();
    }

    private static string[] Clauses(IEnumerable<string> texts) =>
        [.. texts.SelectMany(t => t.Split(['，', '。', '？', '！', '；', '…', '\n', '"', '“', '”'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).Where(c => c.Length >= 4).Distinct(StringComparer.Ordinal)];
}
