using System.Text.Json;
using PsyLite.Agent.Guard;
using PsyLite.Tests.Store;
using PsyLite.Tests.Training.Data.Mix;
using PsyLite.Training.Data;
using PsyLite.Training.Data.Import;
using PsyLite.Training.Data.Pairs;
using PsyLite.Training.Data.Records;
using PsyLite.Training.Data.Synthetic;

namespace PsyLite.Tests.Training.Data.Pairs;

public sealed class PairRunTests : IDisposable
{
    private const string Written = """
        - id: sleep-1
          topic: 睡眠
          context:
            - {role: user, content: 我睡不着}
            - {role: assistant, content: 多久了？}
            - {role: user, content: 一周了}
          chosen:
            think: 先接住，再问。
            reply: 一周都没睡好，一定很熬人。夜里想得最多的是什么？
          rejected:
            - {kind: cold, reply: 睡不着就别睡。}
            - {kind: dose, reply: 去买点安眠药吃两片。}
        - id: sleep-2
          context: [{role: user, content: 又醒了}]
          chosen: {think: 想, reply: 每天吃2片安眠药就好了。}
          rejected: [{kind: cold, reply: 哦。}]
        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Written_pairs_become_rows_of_the_papers_shape_and_unsafe_replies_are_never_chosen()
    {
        Directory.CreateDirectory(_folder["p"]);
        File.WriteAllText(_folder["p/sleep.yaml"], Written);
        var inspection = new ReplyInspection();
        var manifest = PairRun.Run(
            new PairOptions { Corpora = [_folder["p"]], Gate = r => inspection.Broken(r.Content, r.Reasoning), NeedsReasoning = true }, _folder["out.jsonl"], [], new MixRunTests.Quiet(), default);
        Assert.Equal((3, 2, 1), (manifest.Counts["read"], manifest.Counts["pairs"], manifest.Counts["filtered: chosen reply breaks guard.dose"]));
        foreach (var line in File.ReadLines(_folder["out.jsonl"]))
        {
            var row = JsonSerializer.Deserialize<JsonElement>(line);
            var (chosen, rejected) = (row.GetProperty("chosen"), row.GetProperty("rejected"));
            Assert.Equal(["chosen", "rejected"], row.EnumerateObject().Select(p => p.Name));
            Assert.Equal((4, 4), (chosen.GetArrayLength(), rejected.GetArrayLength()));
            Assert.Equal("<think>\n先接住，再问。\n</think>\n\n一周都没睡好，一定很熬人。夜里想得最多的是什么？", chosen[3].GetProperty("content").GetString());
            Assert.Contains(rejected[3].GetProperty("content").GetString(), new[] { "<think>\n先接住，再问。\n</think>\n\n睡不着就别睡。", "<think>\n先接住，再问。\n</think>\n\n去买点安眠药吃两片。" });
            Assert.Equal(chosen.EnumerateArray().Take(3).Select(m => m.ToString()), rejected.EnumerateArray().Take(3).Select(m => m.ToString()));
        }
    }

    [Fact]
    public void A_set_of_pairs_is_taken_up_to_the_wanted_number_and_twice_the_same()
    {
        new SourceGenerator(TextCorpus.Read(Path.Combine(ReferenceGraphTests.Root, "corpora"))).Write(SyntheticKind.SafeRlhf, 600, 1, _folder["safe.jsonl"], default);
        PairOptions options = new() { Sources = [new SourceOptions(_folder["safe.jsonl"])], Rows = 400, Seed = 3 };
        PairRun.Run(options, _folder["a.jsonl"], [], new MixRunTests.Quiet(), default);
        PairRun.Run(options, _folder["b.jsonl"], [], new MixRunTests.Quiet(), default);
        Assert.Equal(File.ReadAllBytes(_folder["a.jsonl"]), File.ReadAllBytes(_folder["b.jsonl"]));
        Assert.Equal(400, File.ReadLines(_folder["a.jsonl"]).Count());
        Assert.Contains("no pair was left", Assert.Throws<InvalidDataException>(() => PairRun.Run(options with { NeedsReasoning = true }, _folder["c.jsonl"], [], new MixRunTests.Quiet(), default)).Message);
    }

    [Theory]
    [InlineData("- id: a\n  context: []\n  chosen: {reply: x}\n  rejected: [{reply: y}]", "needs an id")]
    [InlineData("- id: a\n  context: [{role: user, content: x}]\n  chosen: {reply: x}\n  rejected: []", "needs an id")]
    [InlineData("- id: a\n  context: [{role: bot, content: x}, {role: user, content: x}]\n  chosen: {reply: x}\n  rejected: [{reply: y}]", "role")]
    [InlineData("- id: a\n  context: [{role: user, content: x}]\n  chosen: {reply: x}\n  rejected: [{reply: ''}]", "empty")]
    [InlineData("- id: a\n  mood: odd\n  context: [{role: user, content: x}]\n  chosen: {reply: x}\n  rejected: [{reply: y}]", "must be low, neutral or happy")]
    [InlineData("a: 1", "no list of pairs")]
    [InlineData("", "is empty")]
    public void A_wrong_entry_is_named(string yaml, string words) => Assert.Contains(words, Assert.Throws<InvalidDataException>(() => PreferenceCorpus.ReadText(yaml, Prompts)).Message);

    [Fact]
    public void Both_replies_of_a_pair_stand_behind_the_same_reasoning_in_the_form_of_fine_tuning()
    {
        const string Yaml = "- id: a\n  topic: 睡眠\n  mood: low\n  context: [{role: user, content: 睡不着}]\n  chosen: {think: 先接住。, reply: 几点醒的？}\n  rejected: [{kind: cold, reply: 早点睡。}, {kind: own, think: 打发他。, reply: 别想了。}]";
        var pairs = PreferenceCorpus.ReadText(Yaml, Prompts);
        Assert.Equal("话题：睡眠；心情：低；这一步：倾听\n先接住。", pairs[0].Reply.Reasoning);
        var (chosen, rejected) = Replies(pairs[0]);
        Assert.Equal("<think>\n话题：睡眠；心情：低；这一步：倾听\n先接住。\n</think>\n\n几点醒的？", chosen);
        Assert.Equal(chosen.Replace("几点醒的？", "早点睡。"), rejected);
        Assert.StartsWith("<think>\n打发他。\n</think>", Replies(pairs[1]).Rejected);
    }

    private static ComposerPrompts Prompts { get; } = new("问", "喜", "平", "低");

    private static (string Chosen, string Rejected) Replies(DataRecord pair)
    {
        var row = PreferencePair.FromJson(System.Text.Encoding.UTF8.GetString(PairRow.Of(pair)));
        return (row.Chosen.Content, row.Rejected.Content);
    }
}
