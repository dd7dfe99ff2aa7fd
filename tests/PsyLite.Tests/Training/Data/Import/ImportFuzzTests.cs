using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using PsyLite.Tests.Store;
using PsyLite.Training.Data;
using PsyLite.Training.Data.Import;
using PsyLite.Training.Data.Pairs;
using PsyLite.Training.Data.Records;

namespace PsyLite.Tests.Training.Data.Import;

/// <summary>Damaged sources are read or refused row by row; they never throw, hang or fill the memory.</summary>
public sealed class ImportFuzzTests : IDisposable
{
    private static readonly string[] Originals =
    [
        "{\"instruction\":\"我睡不着\",\"input\":\"\",\"output\":\"<think>想\\n</think>\\n\\n先喘口气。\",\"history\":[[\"在吗\",\"在的\"]]}\n{\"messages\":[{\"role\":\"user\",\"content\":\"a\\ud83d\\ude00\"},{\"role\":\"assistant\",\"content\":\"b\"}]}\n{\"prompt\":\"a\",\"response_0\":\"b\",\"response_1\":\"c\",\"better_response_id\":1,\"response_0_harm_category\":{\"x\":true}}\n",
        "[{\"conversations\":[{\"from\":\"human\",\"value\":\"我\"},{\"from\":\"gpt\",\"value\":\"你\"}]},\n {\"chosen\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"b\"}],\"rejected\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"c\"}]},{\"kind\":\"k\",\"source\":\"s\",\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"b\"}],\"score\":3,\"safety\":[\"x\"]}]",
        "[\"求助者：我睡不着\",\"支持者：先喘口气。\",\"求助者：嗯\",\"支持者：好\"]",
        "question,answer,score\r\n\"一,\"\"二\"\"\n三\",四,9\n五,六,7\n",
    ];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(0, "a.jsonl")]
    [InlineData(1, "a.json")]
    [InlineData(2, "a.json")]
    [InlineData(3, "a.csv")]
    [InlineData(0, "a.jsonl.gz")]
    public void Damaged_sources_are_read_or_refused(int original, string name)
    {
        var random = new Random(original + name.Length);
        var bytes = Encoding.UTF8.GetBytes(Originals[original]);
        if (name.EndsWith(".gz", StringComparison.Ordinal))
        {
            using var packed = new MemoryStream();
            using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            {
                // Rows before a damaged place are read, those behind it are lost: it takes many.
                for (var i = 0; i < 40; i++)
                {
                    gzip.Write(Encoding.UTF8.GetBytes(Originals[original].Replace("我睡不着", $"我睡不着{random.NextInt64()}", StringComparison.Ordinal)));
                }
            }

            bytes = packed.ToArray();
        }

        var (read, refused) = (0, 0);
        for (var run = 0; run < 1500; run++)
        {
            File.WriteAllBytes(_folder[name], Mutated(bytes, random));
            var clock = Stopwatch.StartNew();
            var manifest = new DataManifest("fuzz");
            var records = RecordReading.Records([new SourceOptions(_folder[name])], manifest, null, default).ToList();
            Assert.All(records, r => Assert.Null(r.Fault()));
            Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(10));
            read += records.Count > 0 ? 1 : 0;
            refused += manifest.Counts.ContainsKey("rejected") ? 1 : 0;
        }

        Assert.True(read > 50 && refused > 50, $"read {read}, refused {refused}");
    }

    [Fact]
    public void Damaged_pair_files_are_read_or_refused()
    {
        const string Text = "- id: a\n  topic: 睡眠\n  context:\n    - {role: user, content: 我睡不着}\n  chosen:\n    think: 想\n    reply: 先喘口气。\n  rejected:\n    - {kind: cold, reply: 别想}\n";
        var random = new Random(5);
        var (read, refused) = (0, 0);
        for (var run = 0; run < 1500; run++)
        {
            try
            {
                var records = PreferenceCorpus.ReadText(Encoding.UTF8.GetString(Mutated(Encoding.UTF8.GetBytes(Text), random)), new ComposerPrompts("", "", "", ""));
                Assert.All(records, r => Assert.Null(r.Fault()));
                read++;
            }
            catch (InvalidDataException e)
            {
                Assert.DoesNotContain('\n', e.Message);
                refused++;
            }
        }

        Assert.True(read > 50 && refused > 50, $"read {read}, refused {refused}");
    }

    private static byte[] Mutated(byte[] original, Random random)
    {
        var bytes = original.ToList();
        for (var n = random.Next(1, 4); n > 0 && bytes.Count > 4; n--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(5))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes.RemoveRange(at, Math.Min(random.Next(1, 20), bytes.Count - at));
                    break;
                case 2:
                    bytes.Insert(at, (byte)"\"{}[],:\n\\"[random.Next(9)]);
                    break;
                case 3:
                    bytes.InsertRange(at, bytes.GetRange(at, Math.Min(random.Next(1, 40), bytes.Count - at)));
                    break;
                default:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
            }
        }

        return [.. bytes];
    }
}
