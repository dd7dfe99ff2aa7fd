using System.Diagnostics;
using System.Text.Json;
using PsyLite.Commands;
using PsyLite.Tests.Training.Running;
using PsyLite.Training;
using PsyLite.Training.Export;
using YamlDotNet.Serialization;

namespace PsyLite.Tests.Training.Export;

/// <summary>Recipes handed to other trainers, and what a recipe is expected to cost.</summary>
public sealed class EngineFolderTests : IDisposable
{
    private readonly TinyRecipe _tiny = new();

    public void Dispose() => _tiny.Dispose();

    private RecipeOptions Options(bool pairs, params string[] set) => _tiny.Options("emit", pairs, ["startFrom=base", "quantisation=nf4", "epochs=3", "accumulation=8", "lora.output=true", .. set]);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void LlamaFactory_gets_the_same_values(bool pairs)
    {
        var folder = _tiny.Data("out");
        EngineFolder.Write(folder, TrainingEngine.LlamaFactory, Options(pairs), pairs, new EngineCluster(Gpus: 2, Nodes: 2));
        var yaml = new DeserializerBuilder().Build().Deserialize<Dictionary<string, string>>(File.ReadAllText(Path.Combine(folder, "config.yaml")));
        Assert.Equal((pairs ? "dpo" : "sft", "base", "4", "nf4", "true"), (yaml["stage"], yaml["model_name_or_path"], yaml["quantization_bit"], yaml["quantization_type"], yaml["double_quantization"]));
        Assert.Equal(("1", "2", "0.005", "3", "0.03", "1"), (yaml["per_device_train_batch_size"], yaml["gradient_accumulation_steps"], yaml["learning_rate"], yaml["num_train_epochs"], yaml["warmup_ratio"], yaml["max_grad_norm"]));
        Assert.Equal("wqkv,wo,w1,w2,w3,output", yaml["lora_target"]);
        Assert.Equal(pairs, yaml.ContainsKey("pref_loss"));
        var info = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "dataset_info.json"))).RootElement.GetProperty("psylite");
        Assert.Equal(pairs, info.TryGetProperty("ranking", out _));
        var column = info.GetProperty("columns").GetProperty("messages").GetString()!;
        Assert.All(File.ReadLines(Path.Combine(folder, "train.jsonl")), line => Assert.Equal("user", JsonDocument.Parse(line).RootElement.GetProperty(column)[0].GetProperty("role").GetString()));
        Assert.Contains("NPROC_PER_NODE=2 NNODES=2", File.ReadAllText(Path.Combine(folder, "launch.sh")));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task XTuners_configuration_is_Python_with_the_same_values(bool pairs)
    {
        var folder = _tiny.Data("out");
        EngineFolder.Write(folder, TrainingEngine.Xtuner, Options(pairs, "orpo.beta=0.2"), pairs, new EngineCluster(Gpus: 4));
        var text = File.ReadAllText(Path.Combine(folder, "config.py"));
        Assert.Contains("accumulative_counts=2", text);
        Assert.Contains("lr=0.005", text);
        Assert.Contains("max_epochs=3", text);
        Assert.Contains("bnb_4bit_quant_type='nf4'", text);
        Assert.Contains(pairs ? "type=ORPO, beta=0.2" : "type=SupervisedFinetune", text);
        Assert.Equal(pairs, text.Contains("max_packed_length=128", StringComparison.Ordinal));
        using var python = Process.Start(new ProcessStartInfo("/usr/bin/python3", ["-c", "import ast, sys; ast.parse(open(sys.argv[1]).read())", Path.Combine(folder, "config.py")]) { RedirectStandardError = true })!;
        var error = await python.StandardError.ReadToEndAsync();
        await python.WaitForExitAsync();
        Assert.True(python.ExitCode == 0, error);
    }

    [Theory]
    [InlineData("--gpus", "accumulation=3")]
    [InlineData("mergeAdapters", "mergeAdapters=[\"x\"]")]
    [InlineData("startFrom", "startFrom=null")]
    [InlineData("orpo.nll", "orpo.nll=trl")]
    public void What_cannot_be_handed_over_is_one_line(string words, string set)
    {
        var error = Assert.Throws<InvalidDataException>(() => EngineFolder.Write(_tiny.Data("out"), TrainingEngine.Xtuner, Options(pairs: true, set), preferences: true, new EngineCluster(Gpus: 2)));
        Assert.Contains(words, error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Theory]
    [InlineData("lora=null")]
    [InlineData("quantisation=nf4")]
    [InlineData("recompute=true")]
    public void A_plan_tells_the_memory_that_the_model_then_takes(string set)
    {
        var options = _tiny.Options("plan", pairs: false, set, "epochs=2", "rowTokens=512");
        var plan = TrainingPlan.For(options, DataCommand.Prompts, preferences: false);
        using var pool = new PsyLite.Training.Kernels.WorkerPool(options.Threads);
        using var model = new Transformer(options.Model, pool, options.BatchTokens, new TuningOptions(options.Lora, options.Quantisation, options.Recompute));
        Assert.Equal(model.Trainable.Count, plan.Trained);
        Assert.InRange((double)plan.ActivationBytes / model.ActivationBytes, 0.98, 1.02);
        Assert.InRange(plan.Steps!.Value, 2, 40);
        Assert.True(plan.Tokens > 1000 && plan.Time > TimeSpan.Zero && plan.GigaFlops > 1);
    }

    [Fact]
    public void A_plan_without_data_still_tells_the_memory()
    {
        var options = RecipeOptions.Read(Path.Combine(ReferenceGraphTests.Root, "recipes", "internlm2.5-7b.sft.json"), ["rowTokens=512", "maxSampleTokens=512"]);
        var plan = TrainingPlan.For(options, DataCommand.Prompts, preferences: false);
        Assert.Null(plan.Steps);
        Assert.Contains("tokenizer", plan.Missing);
        Assert.Equal(7_737_708_544, plan.Weights);
        Assert.InRange(plan.TotalBytes, 6_000_000_000, 10_000_000_000);
    }
}
