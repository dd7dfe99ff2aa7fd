using System.Text.Json;
using PsyLite.Models.Safetensors;
using PsyLite.Tests.Models.HuggingFace;

namespace PsyLite.Tests.Commands;

/// <summary>psylite model init, inspect, convert, merge, quantize and export-ollama as processes.</summary>
public sealed class ModelFileCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("psylite-files").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task From_a_folder_and_two_adapters_to_a_model_that_Ollama_takes()
    {
        Assert.Equal(0, (await RunAsync("model", "init", "--preset", "mini", "--format", "hf", "--seed", "5", "--out", At("base"))).Code);
        var first = Adapter("sft", 11);
        var second = Adapter("orpo", 12);

        var (code, output, error) = await RunAsync("model", "merge", "--base", At("base"), "--adapter", first, "--adapter", second, "--out", At("merged"), "--type", "F32");
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("6293760 parameters, F32", output);
        Assert.Equal(["config.json", "generation_config.json", "model.safetensors", "tokenizer.model", "tokenizer_config.json"], Directory.GetFiles(At("merged")).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal));

        Assert.Equal(0, (await RunAsync("model", "convert", "--in", At("merged"), "--out", At("merged.gguf"), "--type", "bf16")).Code);
        Assert.Equal(0, (await RunAsync("model", "quantize", "--in", At("merged.gguf"), "--out", At("small.gguf"), "--type", "q4_k_m")).Code);
        Assert.Equal(0, (await RunAsync("model", "convert", "--adapter", first, "--base", At("base"), "--out", At("lora.gguf"))).Code);

        (code, output, _) = await RunAsync("chat", "--once", "今天心情不错", "--json", "--model", At("small.gguf"), "--lora", At("lora.gguf") + ":0.5");
        Assert.Equal(0, code);
        Assert.False(string.IsNullOrWhiteSpace(JsonDocument.Parse(output).RootElement.GetProperty("reply").GetString()));

        File.WriteAllText(At("system.txt"), "你是一位温和的倾听者。");
        Assert.Equal(0, (await RunAsync("model", "export-ollama", "--model", At("small.gguf"), "--out", At("ollama"), "--system", At("system.txt"))).Code);
        var modelfile = File.ReadAllText(Path.Combine(At("ollama"), "Modelfile"));
        Assert.StartsWith("FROM ./small.gguf\nTEMPLATE \"\"\"", modelfile);
        Assert.Contains("SYSTEM \"\"\"你是一位温和的倾听者。\"\"\"\nPARAMETER stop \"<|im_end|>\"\n", modelfile);
        Assert.Equal(new FileInfo(At("small.gguf")).Length, new FileInfo(Path.Combine(At("ollama"), "small.gguf")).Length);
    }

    [Fact]
    public async Task Inspect_says_the_same_of_every_format()
    {
        var model = TinyHuggingFace.Create(_folder);
        var adapter = TinyHuggingFace.CreateAdapter(_folder);
        Assert.Equal(0, (await RunAsync("model", "convert", "--in", model, "--out", At("a.gguf"))).Code);
        foreach (var (path, kind, type) in new[] { (model, "huggingface", "BF16"), (At("a.gguf"), "gguf", "BF16"), (adapter, "lora", "F32"), (Path.Combine(adapter, "adapter_model.safetensors"), "safetensors", "F32") })
        {
            var (code, output, _) = await RunAsync("model", "inspect", path, "--json");
            Assert.Equal(0, code);
            var report = JsonDocument.Parse(output).RootElement;
            Assert.Equal(kind, report.GetProperty("kind").GetString());
            Assert.True(report.GetProperty("types").GetProperty(type).GetInt64() > 1000);
            Assert.True(report.GetProperty("parameters").GetInt64() > 500);
            Assert.Equal(kind is "huggingface" or "gguf", report.GetProperty("template").ValueKind == JsonValueKind.String);
        }

        Assert.Contains($"huggingface internlm2: {3 + (7 * 2)} tensors", (await RunAsync("model", "inspect", model)).Out);
    }

    [Theory]
    [InlineData(2, "--type Q9_X", "quantize", "--in", "a", "--out", "b", "--type", "Q9_X")]
    [InlineData(2, "IQ2_XXS", "quantize", "--in", "a", "--out", "b", "--type", "Q9_X")]
    [InlineData(2, "--adapter", "convert", "--out", "b")]
    [InlineData(2, "f16 bf16 f32", "convert", "--in", "a", "--out", "b", "--type", "q4")]
    [InlineData(1, "no such", "inspect", "/nowhere/a.gguf")]
    [InlineData(1, "no such", "merge", "--base", "/nowhere", "--adapter", "/nowhere", "--out", "/tmp/none")]
    [InlineData(1, "no model file", "quantize", "--in", "/nowhere/a.gguf", "--out", "/tmp/none.gguf")]
    [InlineData(1, "no such importance matrix", "quantize", "--in", "/nowhere/a.gguf", "--out", "/tmp/none.gguf", "--imatrix", "/nowhere/i")]
    public async Task Wrong_use_and_missing_files_say_what_to_do(int expected, string words, params string[] arguments)
    {
        var (code, _, error) = await RunAsync(["model", .. arguments]);
        Assert.Equal(expected, code);
        Assert.Contains(words, error);
        Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    private string At(string name) => Path.Combine(_folder, name);

    private string Adapter(string name, int seed)
    {
        var random = new Random(seed);
        PsyLite.Models.TensorSource Matrix(int rows, int columns) =>
            PsyLite.Models.TensorSource.From(Enumerable.Range(0, rows * columns).Select(_ => (float)(random.NextDouble() - 0.5) * 0.01f).ToArray(), rows, columns);
        var layers = Enumerable.Range(0, 4).Select(l => new LoraModule($"model.layers.{l}.feed_forward.w1", Matrix(8, 256), Matrix(768, 8), 2));
        PeftAdapter.Write(At(name), new PeftConfig(8, 16, 0, ["w1"]), layers, SafetensorsType.BF16);
        return At(name);
    }

    private static Task<(int Code, string Out, string Error)> RunAsync(params string[] arguments) =>
        PsyliteProcess.RunAsync(arguments, new Dictionary<string, string> { ["PSYLITE_MODEL"] = "" });
}
