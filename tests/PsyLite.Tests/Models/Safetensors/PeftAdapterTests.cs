using System.Text.Json;
using PsyLite.Models;
using PsyLite.Models.Safetensors;

namespace PsyLite.Tests.Models.Safetensors;

public sealed class PeftAdapterTests : IDisposable
{
    private const string Layer = "model.layers.0.attention.wqkv";

    private readonly string _folder = Directory.CreateTempSubdirectory("psylite-peft").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void An_adapter_comes_back_under_the_names_of_PEFT()
    {
        var config = new PeftConfig(Rank: 2, Alpha: 16, Dropout: 0.1, ["wo", "wqkv"], "internlm/internlm2_5-7b-chat");
        PeftAdapter.Write(_folder, config, [Module(2, 8)], SafetensorsType.F32);

        using (var file = SafetensorsReader.Open(Path.Combine(_folder, "adapter_model.safetensors")))
        {
            Assert.Equal([$"base_model.model.{Layer}.lora_A.weight", $"base_model.model.{Layer}.lora_B.weight"], file.Tensors.Select(t => t.Name));
        }

        using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(_folder, "adapter_config.json")));
        Assert.Equal(("LORA", "CAUSAL_LM", 2, 16), (json.RootElement.GetProperty("peft_type").GetString(), json.RootElement.GetProperty("task_type").GetString(), json.RootElement.GetProperty("r").GetInt32(), json.RootElement.GetProperty("lora_alpha").GetInt32()));

        Assert.True(PeftAdapter.IsAdapter(_folder));
        using var adapter = PeftAdapter.Open(_folder);
        Assert.Equal((2, 16.0, 0.1, "internlm/internlm2_5-7b-chat"), (adapter.Config.Rank, adapter.Config.Alpha, adapter.Config.Dropout, adapter.Config.BaseModel));
        Assert.Equal(["wo", "wqkv"], adapter.Config.TargetModules);
        var read = Assert.Single(adapter.Modules);
        Assert.Equal((Layer, Layer + ".weight", 2, 8.0), (read.Module, read.WeightName, read.Rank, read.Scale));
        Assert.Equal(SafetensorsTests.All(Module(2, 8).A), SafetensorsTests.All(read.A));
        Assert.Equal(SafetensorsTests.All(Module(2, 8).B), SafetensorsTests.All(read.B));
        Assert.Empty(adapter.FullWeights);
    }

    [Fact]
    public void Raw_state_dictionaries_patterns_and_whole_weights_are_understood()
    {
        var module = Module(4, 0);
        new SafetensorsWriter()
            .Add($"base_model.model.{Layer}.lora_A.default.weight", SafetensorsType.F32, module.A)
            .Add($"base_model.model.{Layer}.lora_B.default.weight", SafetensorsType.F32, module.B)
            .Add("base_model.model.output.modules_to_save.default.weight", SafetensorsType.F32, TensorSource.From(new[] { 1f }, 1, 1))
            .WriteFile(Path.Combine(_folder, "adapter_model.safetensors"));
        Configure("""{"peft_type":"LORA","r":2,"lora_alpha":6.0,"lora_dropout":0,"use_rslora":true,"target_modules":"all-linear","alpha_pattern":{"wqkv":8},"rank_pattern":{"wqkv":4}}""");
        using var adapter = PeftAdapter.Open(_folder);
        Assert.Equal(Layer, Assert.Single(adapter.Modules).Module);
        Assert.Equal(8 / Math.Sqrt(4), adapter.Modules[0].Scale);
        Assert.Equal("output.weight", Assert.Single(adapter.FullWeights).Key);
        Assert.Empty(adapter.Config.TargetModules);
    }

    [Theory]
    [InlineData("""{"peft_type":"LORA","lora_alpha":16}""", "not the configuration of a LoRA adapter")]
    [InlineData("""{"peft_type":"LORA","r":0,"lora_alpha":16}""", "out of range")]
    [InlineData("""{"peft_type":"IA3","r":2,"lora_alpha":16}""", "'IA3'")]
    [InlineData("""{"peft_type":"LORA","r":2,"lora_alpha":16,"use_dora":true}""", "use_dora")]
    [InlineData("""{"peft_type":"LORA","r":2,"lora_alpha":16,"bias":"all"}""", "biases")]
    [InlineData("""{"r":2""", "not the configuration of a LoRA adapter")]
    public void Settings_that_cannot_be_merged_are_refused(string config, string message)
    {
        PeftAdapter.Write(_folder, new PeftConfig(2, 16, 0, []), [Module(2, 8)]);
        Configure(config);
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => PeftAdapter.Open(_folder)).Message);
    }

    [Fact]
    public void Matrices_that_do_not_fit_together_are_refused()
    {
        Configure("""{"peft_type":"LORA","r":2,"lora_alpha":16}""");
        AssertRefused("do not fit together", w => w.Add($"{Layer}.lora_A.weight", SafetensorsType.F32, Module(2, 1).A).Add($"{Layer}.lora_B.weight", SafetensorsType.F32, Module(3, 1).B));
        AssertRefused("do not fit together", w => w.Add($"{Layer}.lora_A.weight", SafetensorsType.F32, Module(2, 1).A));
        AssertRefused("lacks its lora_A", w => w.Add($"{Layer}.lora_B.weight", SafetensorsType.F32, Module(2, 1).B));
        AssertRefused("none of a LoRA adapter", w => w.Add($"{Layer}.lora_embedding_A", SafetensorsType.F32, Module(2, 1).A));
        File.Move(Path.Combine(_folder, "adapter_model.safetensors"), Path.Combine(_folder, "adapter_model.bin"));
        Assert.Contains("safe_serialization", Assert.Throws<InvalidDataException>(() => PeftAdapter.Open(_folder)).Message);
        Assert.Throws<ArgumentException>(() => PeftAdapter.Write(_folder, new PeftConfig(2, 16, 0, []), [Module(2, 7)]));
    }

    private static LoraModule Module(int rank, double scale) => new(
        Layer, TensorSource.From(Enumerable.Range(1, rank * 3).Select(i => i / 8f).ToArray(), rank, 3), TensorSource.From(Enumerable.Range(1, 5 * rank).Select(i => -i / 4f).ToArray(), 5, rank), scale);

    private void Configure(string json) => File.WriteAllText(Path.Combine(_folder, "adapter_config.json"), json);

    private void AssertRefused(string message, Action<SafetensorsWriter> add)
    {
        var writer = new SafetensorsWriter();
        add(writer);
        writer.WriteFile(Path.Combine(_folder, "adapter_model.safetensors"));
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => PeftAdapter.Open(_folder)).Message);
    }
}
