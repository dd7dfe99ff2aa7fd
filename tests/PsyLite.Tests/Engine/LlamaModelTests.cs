using System.Security.Cryptography;
using PsyLite.Engine;
using PsyLite.Models.Gguf;
using PsyLite.Models.Text;

namespace PsyLite.Tests.Engine;

[Collection(EngineCollection.Name)]
public sealed class LlamaModelTests(TinyModels models)
{
    [Fact]
    public async Task A_model_tells_what_it_is()
    {
        using var model = LlamaModel.Load(new LlamaOptions { Path = models.Random, ContextLength = 0 });
        Assert.Equal("internlm2", model.Metadata["general.architecture"]);
        Assert.StartsWith("internlm2", model.Description);
        Assert.Equal((TinyModels.Vocabulary.VocabSize, TinyModels.ContextLength, TinyModels.ContextLength), (model.VocabularySize, model.ContextLength, model.TrainingContextLength));
        Assert.Equal(new FileInfo(models.Random).Length, model.FileBytes);
        Assert.Equal(ChatTemplate.Jinja, model.Template);
        Assert.True(model.ParameterCount > 50_000);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(models.Random))), await model.Sha256Async());
    }

    [Fact]
    public void The_context_is_never_longer_than_the_model_was_trained_for()
    {
        using var model = LlamaModel.Load(new LlamaOptions { Path = models.Random, ContextLength = 100_000 });
        Assert.Equal(TinyModels.ContextLength, model.ContextLength);
    }

    [Theory]
    [InlineData("今天很愉快。")]
    [InlineData("  spaces, emoji 😀 and 生僻字 龘\r\n")]
    [InlineData("")]
    public void Text_survives_tokens(string text)
    {
        using var model = LlamaModel.Load(new LlamaOptions { Path = models.Random });
        Assert.Equal(text, model.Detokenize(model.Tokenize(text)));
    }

    [Fact]
    public void Special_tokens_are_read_only_on_request()
    {
        using var model = LlamaModel.Load(new LlamaOptions { Path = models.Random });
        Assert.Equal([TinyModels.Id(TinyModels.TurnEnd)], model.Tokenize(TinyModels.TurnEnd, parseSpecial: true));
        Assert.DoesNotContain(TinyModels.Id(TinyModels.TurnEnd), model.Tokenize(TinyModels.TurnEnd));
        Assert.Equal(TinyModels.TurnEnd, model.Detokenize([TinyModels.Id(TinyModels.TurnEnd)], special: true));
        Assert.Equal("", model.Detokenize([TinyModels.Id(TinyModels.TurnEnd)]));
    }

    [Fact]
    public void Bad_files_are_refused_in_one_line_that_says_what_to_do()
    {
        Assert.Equal(LlamaError.FileMissing, Refusal(Path.Combine(models.Folder, "absent.gguf")));
        Assert.Equal(LlamaError.FileMissing, Refusal(Path.Combine(models.Folder, "absent", "absent.gguf")));
        Assert.Equal(LlamaError.FileMissing, Refusal(models.Folder));
        Assert.Equal(LlamaError.NotGguf, Refusal(Bytes("text.gguf", "This is no model."u8)));
        Assert.Equal(LlamaError.NotGguf, Refusal(Bytes("empty.gguf", [])));
        var whole = File.ReadAllBytes(models.Random);
        Assert.Equal(LlamaError.Truncated, Refusal(Bytes("cut-data.gguf", whole.AsSpan(0, whole.Length - 1000))));
        Assert.Equal(LlamaError.Truncated, Refusal(Bytes("cut-header.gguf", whole.AsSpan(0, 300))));
        var foreign = Path.Combine(models.Folder, "foreign.gguf");
        new GgufWriter().Set("general.architecture", "telepathy").Write(foreign);
        Assert.Equal(LlamaError.UnknownArchitecture, Refusal(foreign));
        var incomplete = Path.Combine(models.Folder, "incomplete.gguf");
        new GgufWriter().Set("general.architecture", "internlm2").Write(incomplete);
        Assert.Equal(LlamaError.LoadFailed, Refusal(incomplete));
    }

    [Fact]
    public void Memory_is_checked_before_loading()
    {
        var options = new LlamaOptions { Path = models.Random, ContextLength = 256, KvCache = KvCacheType.F16, Sequences = 2 };
        var plan = MemoryPlan.For(options);
        Assert.Equal(2 * 256 * 2 * 2 * (16 + 16) * 2, plan.CacheBytes);
        Assert.InRange(plan.WeightBytes, 1, new FileInfo(models.Random).Length);
        plan.Check(models.Random, plan.TotalBytes);
        var failure = Assert.Throws<LlamaException>(() => plan.Check(models.Random, plan.TotalBytes - 1));
        Assert.Equal(LlamaError.OutOfMemory, failure.Kind);
        Assert.True(AvailableMemory.Bytes() is null or > 0);
    }

    [Fact]
    public void A_context_too_large_for_memory_is_refused_before_the_weights_are_read()
    {
        var path = Path.Combine(models.Folder, "greedy.gguf");
        new GgufWriter().Set("general.architecture", "internlm2").Set("internlm2.context_length", 1 << 30).Set("internlm2.block_count", 1 << 10)
            .Set("internlm2.embedding_length", 1 << 14).Set("internlm2.attention.head_count", 1 << 7).Write(path);
        var failure = Assert.Throws<LlamaException>(() => LlamaModel.Load(new LlamaOptions { Path = path, ContextLength = 0 }));
        Assert.Equal(LlamaError.OutOfMemory, failure.Kind);
        Assert.Contains("free", failure.Message);
    }

    [Fact]
    public void Loading_can_be_cancelled()
    {
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => LlamaModel.Load(new LlamaOptions { Path = models.Random }, null, cancelled.Token));
    }

    [Fact]
    public void Log_lines_reach_who_listens()
    {
        var lines = new List<LlamaLogLine>();
        using (LlamaBackend.Listen(line =>
        {
            lock (lines)
            {
                lines.Add(line);
            }
        }))
        {
            LlamaModel.Load(new LlamaOptions { Path = models.Random }).Dispose();
        }

        Assert.Contains(lines, line => line.Level == LlamaLogLevel.Info && line.Text.Contains("internlm2", StringComparison.Ordinal));
    }

    [Fact]
    public void A_context_that_llama_cpp_refuses_says_why()
    {
        using var model = LlamaModel.Load(TinyModels.Options(models.Random) with { KvCache = KvCacheType.Q8_0, FlashAttention = false });
        var failure = Assert.Throws<LlamaException>(() => new LlamaChatClient(model));
        Assert.Equal(LlamaError.LoadFailed, failure.Kind);
        Assert.Contains("flash", failure.Message);
    }

    [Fact]
    public void The_backend_describes_itself()
    {
        var backend = LlamaBackend.Load();
        Assert.Contains("0.5.0", backend.Version);
        Assert.Contains("CPU", backend.SystemInfo);
        Assert.True(Directory.Exists(backend.Folder));
    }

    private static LlamaError Refusal(string path)
    {
        var failure = Assert.Throws<LlamaException>(() => LlamaModel.Load(new LlamaOptions { Path = path }));
        Assert.DoesNotContain('\n', failure.Message);
        Assert.Contains(Path.GetFileName(path), failure.Message);
        return failure.Kind;
    }

    private string Bytes(string name, ReadOnlySpan<byte> content)
    {
        var path = Path.Combine(models.Folder, name);
        File.WriteAllBytes(path, content);
        return path;
    }
}
