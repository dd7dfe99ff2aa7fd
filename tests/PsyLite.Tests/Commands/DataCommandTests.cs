using PsyLite.Tests.Store;
using PsyLite.Training.Data;

namespace PsyLite.Tests.Commands;

/// <summary><c>psylite data</c> as a process: from our own text to files that the trainer reads, and what it says when something is wrong.</summary>
public sealed class DataCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static Task<(int Code, string Out, string Error)> RunAsync(params string[] arguments) => PsyliteProcess.RunAsync(["data", .. arguments], folder: ReferenceGraphTests.Root);

    [Fact]
    public async Task Our_own_text_goes_through_to_what_the_trainer_reads()
    {
        Directory.CreateDirectory(_folder["p"]);
        File.WriteAllText(_folder["p/a.yaml"], "- id: a\n  topic: 睡眠\n  context: [{role: user, content: 我睡不着}]\n  chosen: {think: 先接住, reply: 听着就累。夜里想得最多的是什么？}\n  rejected: [{kind: cold, reply: 别想了。}, {kind: long, reply: 你应该早点睡。}]\n");
        Assert.Equal(0, (await RunAsync("compose", "--samples", "400", "--out", _folder["composed.jsonl"])).Code);
        Assert.Equal(0, (await RunAsync("mix", "--source", _folder["composed.jsonl"], "--near", "off", "--split", "train=0.9,valid=0.1", "--out", _folder["sft"])).Code);
        Assert.Equal(0, (await RunAsync("preferences", "--corpus", _folder["p"], "--reasoning", "--out", _folder["orpo.jsonl"])).Code);
        Assert.Equal(0, (await RunAsync("stats", _folder["sft/train.records.jsonl"], _folder["orpo.records.jsonl"], "--out", _folder["stats.html"])).Code);

        var composed = JsonLines.Samples([_folder["composed.jsonl"]]);
        var mixed = JsonLines.Samples([_folder["sft/train.records.jsonl"], _folder["sft/valid.records.jsonl"]]);
        Assert.Equal((400, 400), (composed.Count, mixed.Count));
        Assert.Equal(composed.Select(s => s.ToJson()).Order(StringComparer.Ordinal), mixed.Select(s => s.ToJson()).Order(StringComparer.Ordinal));
        Assert.Contains(JsonLines.Samples([_folder["sft/train.jsonl"]]), s => s.Messages[^1].Content.StartsWith("<think>\n", StringComparison.Ordinal));
        var pairs = JsonLines.Pairs([_folder["orpo.jsonl"]]);
        Assert.Equal(["<think>\n先接住\n</think>\n\n你应该早点睡。", "<think>\n先接住\n</think>\n\n别想了。"], pairs.Select(p => p.Rejected.Content).Order(StringComparer.Ordinal));
        Assert.All(pairs, p => Assert.Equal("<think>\n先接住\n</think>\n\n听着就累。夜里想得最多的是什么？", p.Chosen.Content));
        Assert.Contains("<svg", File.ReadAllText(_folder["stats.html"]));
    }

    [Theory]
    [InlineData(2, "--out", "import", "x.json")]
    [InlineData(1, "there is no data at /nowhere/x.json", "import", "/nowhere/x.json", "--out", "OUT/o.jsonl")]
    [InlineData(1, "--near 2", "mix", "--source", "a.jsonl", "--near", "2", "--out", "OUT/o")]
    [InlineData(1, "share above 0", "mix", "--source", "a.jsonl:0", "--out", "OUT/o")]
    [InlineData(1, "train=0.98", "mix", "--source", "a.jsonl", "--split", "half", "--out", "OUT/o")]
    [InlineData(1, "a teacher is needed", "distill", "a.jsonl", "--out", "OUT/o.jsonl")]
    [InlineData(1, "--model is missing", "distill", "a.jsonl", "--endpoint", "http://127.0.0.1:9", "--out", "OUT/p.jsonl")]
    [InlineData(1, "nothing to make pairs of", "preferences", "--out", "OUT/o.jsonl")]
    public async Task Wrong_use_is_one_line_that_says_what_to_do(int expected, string words, params string[] arguments)
    {
        var (code, _, error) = await RunAsync([.. arguments.Select(a => a.Replace("OUT/", _folder[""] + "/", StringComparison.Ordinal))]);
        Assert.Equal(expected, code);
        Assert.Contains(words, error);
        Assert.True(expected == 2 || error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length == 1, error);
    }
}
