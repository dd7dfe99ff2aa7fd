using System.Diagnostics;
using System.Text;
using PsyLite.Agent.Humour;
using PsyLite.Commands;
using PsyLite.Engine;
using PsyLite.Models;
using PsyLite.Models.Gguf;
using PsyLite.Models.HuggingFace;
using PsyLite.Models.Safetensors;
using PsyLite.Models.Text;
using PsyLite.Tests.Engine;
using PsyLite.Tests.Models.HuggingFace;
using PsyLite.Training.Data;

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
        var (read, refused) = Fuzz(File.ReadAllBytes(model), Runs, seed: 1, bytes =>
        {
            var tokenizer = new SentencePieceTokenizer(SentencePieceModel.Parse(bytes));
            _ = tokenizer.Decode(tokenizer.Encode("今天<think>很难过 hello 😀", allowSpecial: true));
        });
        Assert.True(read > 40 && refused > 100, $"read {read}, refused {refused}");
    }

    [Fact]
    public void Mutated_GGUF_files_are_read_or_refused()
    {
        var vocabulary = ChatTemplateTests.ByteModel();
        var config = new ModelConfig(vocabulary.VocabSize, 4, 8, 1, 2, 1, 16);
        var path = Path.Combine(_folder, "a.gguf");
        InternLm2Gguf.Write(path, config, vocabulary, InternLm2GgufTests.Tensors(config, (_, i) => i), GgmlType.F16, new ModelCard("x"));
        var (read, refused) = Fuzz(File.ReadAllBytes(path), Runs, seed: 2, bytes =>
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
        Assert.True(read > 40 && refused > 100, $"read {read}, refused {refused}");
    }

    [Fact]
    public void Mutated_safetensors_are_read_or_refused()
    {
        var path = Path.Combine(_folder, "a.safetensors");
        new SafetensorsWriter()
            .Add("model.norm.weight", SafetensorsType.F32, TensorSource.From(new[] { 1f, 2f, 3f }, 3))
            .Add("output.weight", SafetensorsType.BF16, TensorSource.From(new[] { 1f, 2f, 3f, 4f }, 2, 2))
            .Add("x", SafetensorsType.F16, TensorSource.From(new[] { 1f }, 1)).WriteFile(path);
        var (read, refused) = Fuzz(File.ReadAllBytes(path), Runs, seed: 3, bytes =>
        {
            File.WriteAllBytes(path, bytes);
            using var file = SafetensorsReader.Open(path);
            foreach (var tensor in file.Sources().Values)
            {
                tensor.Read(0, new float[Math.Min(tensor.Count, 4)]);
            }
        });
        Assert.True(read > 20 && refused > 100, $"read {read}, refused {refused}");
    }

    /// <summary>One file of a folder is damaged at a time; the others are whole.</summary>
    [Theory]
    [InlineData("config.json")]
    [InlineData("tokenizer_config.json")]
    [InlineData("generation_config.json")]
    [InlineData("model.safetensors.index.json")]
    [InlineData("tokenizer.model")]
    public void Mutated_model_folders_are_converted_or_refused(string name)
    {
        var folder = TinyHuggingFace.Create(_folder);
        var output = Path.Combine(_folder, "out.gguf");
        Assert.True(FuzzFile(Path.Combine(folder, name), Runs / 10, seed: 4, () =>
        {
            using var model = HuggingFaceFolder.Open(folder);
            HuggingFaceGguf.Convert(model, model.Weights.Sources(), output, GgmlType.F16);
        }).Refused > 10);
    }

    [Theory]
    [InlineData("adapter_config.json")]
    [InlineData("adapter_model.safetensors")]
    public void Mutated_adapters_are_merged_or_refused(string name)
    {
        var folder = TinyHuggingFace.CreateAdapter(_folder);
        var tensors = InternLm2GgufTests.Tensors(TinyHuggingFace.Config, (_, i) => i);
        Assert.True(FuzzFile(Path.Combine(folder, name), Runs / 4, seed: 5, () =>
        {
            using var adapter = PeftAdapter.Open(folder);
            foreach (var tensor in new LoraMerge([adapter]).Apply(tensors).Values)
            {
                tensor.Read(0, new float[Math.Min(tensor.Count, 8)]);
            }
        }).Refused > 10);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Mutated_importance_matrices_are_read_or_refused(bool isGguf)
    {
        var path = Path.Combine(_folder, "imatrix");
        ImportanceFiles.Write(path, isGguf, new Dictionary<string, float[]> { ["blk.0.attn_q.weight"] = [1, 2, 3, 4], ["output.weight"] = [5, 6] });
        Assert.True(FuzzFile(path, Runs / 2, seed: 6, () => ImportanceMatrix.Read(path)).Refused > 50);
    }

    [Fact]
    public async Task Mutated_JSONL_is_answered_line_by_line()
    {
        var original = Encoding.UTF8.GetBytes("""{"id":"1","messages":[{"role":"user","content":"我最近\u5f88累"},{"role":"assistant","content":"在的"},{"role":"user","content":"嗯"}]}""");
        var piece = Encoding.UTF8.GetBytes("""{"id":"a","title":"报菜名","themes":["food"],"tone":"light","unfit":[],"lines":["甲：\ud83d\ude00","乙：好"],"licence":"CC0-1.0"}""");
        var random = new Random(7);
        var lines = new MemoryStream();
        for (var run = 0; run < Runs / 4; run++)
        {
            lines.Write(Mutate(original, random));
            lines.WriteByte((byte)'\n');
            foreach (var entry in CrosstalkReader.ReadJsonLines(new StringReader(Encoding.UTF8.GetString(Mutate(piece, random)))))
            {
                Assert.True(entry.Piece is null != entry.Fault is null);
            }
        }

        lines.Position = 0;
        var expected = (await new StreamReader(lines).ReadToEndAsync()).Split(["\r\n", "\n", "\r"], StringSplitOptions.None).Count(l => !string.IsNullOrWhiteSpace(l));
        lines.Position = 0;
        var answers = new MemoryStream();
        Assert.False(await AssessCommand.RunAsync(lines, answers, CancellationToken.None));
        Assert.Equal(expected, Encoding.UTF8.GetString(answers.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Theory]
    [InlineData("""{"messages":[{"role":"user","content":"最近很累"},{"role":"assistant","content":"辛苦了"}]}""", false)]
    [InlineData("""{"instruction":"最近很累","input":"","output":"\u8f9b苦了"}""", false)]
    [InlineData("""{"chosen":[{"role":"user","content":"问"},{"role":"assistant","content":"好"}],"rejected":[{"role":"user","content":"问"},{"role":"assistant","content":"坏"}]}""", true)]
    public void Mutated_training_data_is_read_or_refused(string line, bool isPair)
    {
        var path = Path.Combine(_folder, "data.jsonl");
        File.WriteAllText(path, line);
        Assert.True(FuzzFile(path, Runs / 4, seed: 8, () => _ = isPair ? JsonLines.Pairs([path]).Count : JsonLines.Samples([path]).Count).Refused > 50);
    }

    /// <summary>Mutations of each kind; PSYLITE_FUZZ_RUNS asks for more than the suite has time for.</summary>
    private static int Runs => int.TryParse(Environment.GetEnvironmentVariable("PSYLITE_FUZZ_RUNS"), out var runs) ? runs : 1500;

    private static (int Read, int Refused) FuzzFile(string path, int runs, int seed, Action parse) => Fuzz(File.ReadAllBytes(path), runs, seed, bytes =>
    {
        File.WriteAllBytes(path, bytes);
        parse();
    });

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
            catch (Exception e) when (e is InvalidDataException or FileNotFoundException)
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
