using System.Diagnostics;
using PsyLite.Models;
using PsyLite.Models.Gguf;
using PsyLite.Models.Text;

namespace PsyLite.Tests.Models;

/// <summary>Damaged files are refused with the one exception type promised, quickly and without large allocations.</summary>
public sealed class MutatedFileTests : IDisposable
{
    /// <summary>For one file; far above the usual 0.2 ms, so that only a hang fails on a busy machine.</summary>
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(10);
    private const long MaxBytesPerFile = 8 << 20;

    private readonly string _folder = Directory.CreateTempSubdirectory("psylite-mutated").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Mutated_tokenizer_models_are_read_or_refused()
    {
        var model = SpmTools.Train(_folder, "small", string.Join('\n', VariedText.Lines(400, seed: 9).Select(l => l.Replace("\0", ""))),
            "--model_type=bpe", "--vocab_size=700", "--hard_vocab_limit=false", "--character_coverage=0.98", "--normalization_rule_name=identity", "--byte_fallback=true", "--user_defined_symbols=<think>");
        var (read, refused) = Fuzz(File.ReadAllBytes(model), 2500, seed: 1, bytes =>
        {
            var tokenizer = new SentencePieceTokenizer(SentencePieceModel.Parse(bytes));
            _ = tokenizer.Decode(tokenizer.Encode("今天<think>很难过 hello 😀", allowSpecial: true));
        });
        Assert.True(read > 100 && refused > 100, $"read {read}, refused {refused}");
    }

    [Fact]
    public void Mutated_GGUF_files_are_read_or_refused()
    {
        var vocabulary = ChatTemplateTests.ByteModel();
        var config = new ModelConfig(vocabulary.VocabSize, 4, 8, 1, 2, 1, 16);
        var path = Path.Combine(_folder, "a.gguf");
        InternLm2Gguf.Write(path, config, vocabulary, InternLm2GgufTests.Tensors(config, (_, i) => i), GgmlType.F16, new ModelCard("x"));
        var (read, refused) = Fuzz(File.ReadAllBytes(path), 2500, seed: 2, bytes =>
        {
            File.WriteAllBytes(path, bytes);
            using var file = GgufReader.Open(path);
            InternLm2Gguf.ReadConfig(file);
            InternLm2Gguf.ReadVocabulary(file);
            var values = new float[4];
            foreach (var tensor in InternLm2Gguf.ReadTensors(file).Values)
            {
                tensor.Read(tensor.Count - 4, values);
            }
        });
        Assert.True(read > 100 && refused > 100, $"read {read}, refused {refused}");
    }

    private static (int Read, int Refused) Fuzz(byte[] original, int runs, int seed, Action<byte[]> parse)
    {
        var random = new Random(seed);
        var (read, refused) = (0, 0);
        for (var run = 0; run < runs; run++)
        {
            var bytes = Mutate(original, random);
            var clock = Stopwatch.StartNew();
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                parse(bytes);
                read++;
            }
            catch (InvalidDataException e)
            {
                Assert.DoesNotContain('\n', e.Message);
                refused++;
            }
            catch (NotSupportedException e) when (e.Message.Contains("quantised", StringComparison.Ordinal))
            {
                refused++;
            }

            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, MaxBytesPerFile);
            Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeLimit);
        }

        return (read, refused);
    }

    private static byte[] Mutate(byte[] original, Random random)
    {
        var bytes = original.ToList();

        // Half of the changes hit the first bytes, where the structure is.
        int At() => random.Next(random.Next(2) == 0 ? Math.Min(bytes.Count, 700) : bytes.Count);
        for (var n = random.Next(1, 4); n > 0 && bytes.Count > 8; n--)
        {
            switch (random.Next(6))
            {
                case 0:
                    bytes[At()] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes[At()] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    var end = At();
                    bytes.RemoveRange(end, bytes.Count - end);
                    break;
                case 3:
                    bytes.Insert(At(), (byte)random.Next(256));
                    break;
                case 4:
                    var from = At();
                    bytes.RemoveRange(from, Math.Min(random.Next(1, 16), bytes.Count - from));
                    break;
                default:
                    // A length or count becomes enormous.
                    var place = At();
                    for (var i = place; i < Math.Min(place + 8, bytes.Count); i++)
                    {
                        bytes[i] = 0xff;
                    }

                    break;
            }
        }

        return [.. bytes];
    }
}
