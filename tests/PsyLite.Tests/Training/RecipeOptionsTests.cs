using PsyLite.Training;

namespace PsyLite.Tests.Training;

/// <summary>Recipes are data: read, overridden, and refused with one line that names the fault.</summary>
public sealed class RecipeOptionsTests
{
    private static string Recipe(string name) => Path.Combine(ReferenceGraphTests.Root, "recipes", name);

    [Theory]
    [InlineData("mini.pretrain.json", 256)]
    [InlineData("mini.sft.json", 256)]
    [InlineData("mini.sft-lora.json", 256)]
    [InlineData("mini.orpo.json", 256)]
    [InlineData("internlm2.5-7b.sft.json", 4096)]
    [InlineData("internlm2.5-7b.orpo.json", 4096)]
    public void The_recipes_that_come_along_are_valid(string name, int width) => Assert.Equal(width, RecipeOptions.Read(Recipe(name), []).Model.HiddenSize);

    [Fact]
    public void The_7B_recipes_have_the_papers_values()
    {
        var (sft, orpo) = (RecipeOptions.Read(Recipe("internlm2.5-7b.sft.json"), []), RecipeOptions.Read(Recipe("internlm2.5-7b.orpo.json"), []));
        Assert.All([sft, orpo], r => Assert.Equal(new TuningOptions(new LoraOptions(64, 16, 0.1f, Output: true), Quantisation.Nf4, Recompute: true), new TuningOptions(r.Lora, r.Quantisation, r.Recompute)));
        Assert.All([sft, orpo], r => Assert.Equal((5, 4096, 1, 0.9f, 0.999f, 0f, 1f, 1e-5), (r.Epochs, r.RowTokens, r.Batch, r.Beta1, r.Beta2, r.WeightDecay, r.ClipNorm, r.WarmupStart)));
        Assert.Equal((4, 4096, 1e-4f, 0.03f), (sft.Accumulation, sft.MaxSampleTokens, sft.LearningRate, sft.WarmupRatio));
        Assert.Equal((64, 2048, 5e-6f, 0.01f, 0.2f), (orpo.Accumulation, orpo.MaxSampleTokens, orpo.LearningRate, orpo.WarmupRatio, orpo.Orpo.Beta));
    }

    [Fact]
    public void An_override_may_add_a_part_and_give_a_list()
    {
        var options = RecipeOptions.Read(Recipe("mini.sft.json"), ["lora.rank=8", "quantisation=nf4", "data=[\"a.jsonl\",\"b.jsonl\"]"]);
        Assert.Equal((8, Quantisation.Nf4), (options.Lora!.Rank, options.Quantisation));
        Assert.Equal(["a.jsonl", "b.jsonl"], options.Data);
    }

    [Fact]
    public void Overrides_reach_into_the_model()
    {
        var options = RecipeOptions.Read(Recipe("mini.sft.json"), ["steps=7", "model.layers=2", "learningRate=0.5", "startFrom=null"]);
        Assert.Equal((7, 2, 0.5f, null), (options.Steps, options.Model.Layers, options.LearningRate, options.StartFrom));
    }

    [Theory]
    [InlineData("steps", "key=value")]
    [InlineData("steps=0", "steps must be positive")]
    [InlineData("stepz=3", "stepz")]
    [InlineData("modle.layers=3", "no part modle")]
    [InlineData("model.heads=3", "heads")]
    [InlineData("steps=many", "steps")]
    [InlineData("maxSampleTokens=9999", "maxSampleTokens")]
    [InlineData("quantisation=nf4", "lora")]
    [InlineData("quantisation=int3", "quantisation")]
    [InlineData("lora.rank=0", "lora.rank")]
    [InlineData("lora.range=3", "range")]
    [InlineData("orpo.beta=-1", "orpo.beta")]
    [InlineData("epochs=3", "epochs needs data")]
    [InlineData("startAdapter=x", "startAdapter")]
    [InlineData("data=[1", "data=[1")]
    public void A_wrong_override_is_one_line_that_names_it(string set, string named)
    {
        var error = Assert.Throws<InvalidDataException>(() => RecipeOptions.Read(Recipe("mini.sft.json"), [set]));
        Assert.Contains(named, error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void A_missing_recipe_says_where_recipes_are() =>
        Assert.Contains("recipes/", Assert.Throws<InvalidDataException>(() => RecipeOptions.Read("nowhere.json", [])).Message);
}
