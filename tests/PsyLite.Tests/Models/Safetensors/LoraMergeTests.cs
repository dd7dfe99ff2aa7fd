using PsyLite.Models;
using PsyLite.Models.Safetensors;
using PsyLite.Tests.Models.HuggingFace;

namespace PsyLite.Tests.Models.Safetensors;

public sealed class LoraMergeTests : IDisposable
{
    private const string Weight = "model.layers.0.attention.wqkv.weight";

    private readonly string _folder = Directory.CreateTempSubdirectory("psylite-merge").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Adapters_are_added_one_after_the_other()
    {
        var tensors = InternLm2GgufTests.Tensors(TinyHuggingFace.Config, (tensor, i) => MathF.Cos((tensor * 50) + i));
        using var first = PeftAdapter.Open(TinyHuggingFace.CreateAdapter(_folder, "sft"));
        using var second = PeftAdapter.Open(TinyHuggingFace.CreateAdapter(_folder, "orpo", alpha: 1.5, seed: 200));
        var merged = new LoraMerge([first, second]).Apply(tensors);

        var expected = SafetensorsTests.All(tensors[Weight]).Select(v => (double)v).ToArray();
        foreach (var module in new[] { first.Modules[0], second.Modules[0] })
        {
            var (a, b, columns) = (SafetensorsTests.All(module.A), SafetensorsTests.All(module.B), (int)module.A.Shape[1]);
            for (var i = 0; i < expected.Length; i++)
            {
                for (var k = 0; k < 3; k++)
                {
                    expected[i] += module.Scale * b[(i / columns * 3) + k] * a[(k * columns) + (i % columns)];
                }
            }
        }

        var actual = SafetensorsTests.All(merged[Weight]);
        Assert.All(expected.Zip(actual), p => Assert.Equal(p.First, p.Second, 1e-6));
        Assert.Contains(expected.Zip(SafetensorsTests.All(tensors[Weight])), p => Math.Abs(p.First - p.Second) > 0.1);
        Assert.Same(tensors["output.weight"], merged["output.weight"]);

        var part = new float[50];
        merged["model.layers.1.feed_forward.w2.weight"].Read(0, new float[3]);
        merged[Weight].Read(29, part);
        Assert.Equal(actual[29..79], part);
    }

    [Fact]
    public void Whole_weights_replace_those_of_the_base()
    {
        var tensors = InternLm2GgufTests.Tensors(TinyHuggingFace.Config, (_, _) => 0);
        var folder = TinyHuggingFace.CreateAdapter(_folder);
        new SafetensorsWriter().Add("base_model.model.model.norm.weight", SafetensorsType.F32, TensorSource.From(Enumerable.Repeat(2f, 36).ToArray(), 36)).WriteFile(Path.Combine(folder, "adapter_model.safetensors"));
        using var adapter = PeftAdapter.Open(folder);
        Assert.All(SafetensorsTests.All(new LoraMerge([adapter]).Apply(tensors)["model.norm.weight"]), v => Assert.Equal(2, v));
    }

    [Fact]
    public void An_adapter_of_another_model_is_refused()
    {
        using var adapter = PeftAdapter.Open(TinyHuggingFace.CreateAdapter(_folder));
        var tensors = InternLm2GgufTests.Tensors(TinyHuggingFace.Config with { HiddenSize = 48 }, (_, _) => 0);
        Assert.Contains("the base model's [80, 48]", Assert.Throws<InvalidDataException>(() => new LoraMerge([adapter]).Apply(tensors)).Message);
        tensors.Remove(Weight);
        Assert.Contains("does not have", Assert.Throws<InvalidDataException>(() => new LoraMerge([adapter]).Apply(tensors)).Message);
    }
}
