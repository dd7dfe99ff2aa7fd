using System.Text.Json;
using PsyLite.Training;

namespace PsyLite.Tests.Training.Running;

/// <summary>A folder with data and a recipe for a model of a few thousand weights, on the vocabulary of the built-in model.</summary>
internal sealed class TinyRecipe : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("recipe").FullName;

    public TinyRecipe()
    {
        string Text(int i, int length) => string.Concat(Enumerable.Range(0, length).Select(k => "我你他好难累想睡安心晴雨"[(i * 7 + k * k) % 12]));
        File.WriteAllLines(Path.Combine(_folder, "sft.jsonl"), Enumerable.Range(0, 60).Select(i =>
            JsonSerializer.Serialize(new { instruction = Text(i, 4 + (i % 9)), input = i % 3 == 0 ? "" : "嗯", output = $"<think>\n{Text(i, 5)}\n</think>\n\n{Text(i + 1, 6 + (i % 20))}" })));
        File.WriteAllLines(Path.Combine(_folder, "pairs.jsonl"), Enumerable.Range(0, 40).Select(i =>
        {
            var prompt = new { role = "user", content = Text(i, 5 + (i % 7)) };
            return JsonSerializer.Serialize(new
            {
                chosen = new[] { prompt, new { role = "assistant", content = Text(i + 3, 4 + (i % 11)) } },
                rejected = new[] { prompt, new { role = "assistant", content = Text(i + 5, 9) } },
            });
        }));
    }

    public string Folder => _folder;

    public string Data(string name) => Path.Combine(_folder, name);

    /// <summary>Reads the recipe with overrides on top of its small sizes; the output folder is named by the caller.</summary>
    public RecipeOptions Options(string output, bool pairs, params string[] overrides) => RecipeOptions.Read(WriteRecipe(output, pairs), overrides);

    public string WriteRecipe(string output, bool pairs)
    {
        var path = Path.Combine(_folder, $"{output}.json");
        File.WriteAllText(path, JsonSerializer.Serialize(new
        {
            name = "tiny",
            model = new { vocabSize = 6144, hiddenSize = 64, intermediateSize = 64, layers = 2, heads = 4, keyValueHeads = 2, contextLength = 256 },
            tokenizer = Path.Combine(ReferenceGraphTests.Root, "models", "psylite-mini", "tokenizer.model"),
            data = new[] { Data(pairs ? "pairs.jsonl" : "sft.jsonl") },
            output = Path.Combine(_folder, output),
            loss = "lastReply",
            lora = new { rank = 4, alpha = 8, dropout = 0.1 },
            steps = 12,
            rowTokens = 128,
            maxSampleTokens = 64,
            accumulation = 2,
            learningRate = 0.005,
            weightDecay = 0.01,
            validateEvery = 4,
            validationRows = 1,
            heldOut = 0.1,
            checkpointEvery = 1,
        }));
        return path;
    }

    public double[] Losses(string output) => [.. Lines(output).Select(l => l.GetProperty("loss").GetDouble())];

    public JsonElement[] Lines(string output) => [.. File.ReadLines(Path.Combine(_folder, output, "metrics.jsonl")).Select(l => JsonDocument.Parse(l).RootElement)];

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}

/// <summary>Takes reports and drops them.</summary>
internal sealed class NoProgress : IProgress<StepReport>
{
    public void Report(StepReport value)
    {
    }
}
