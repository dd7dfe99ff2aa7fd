using System.Text.Json;
using PsyLite.Tests.Store;
using PsyLite.Training.Data;
using PsyLite.Training.Data.Import;
using PsyLite.Training.Data.Mix;
using PsyLite.Training.Data.Records;
using PsyLite.Training.Data.Synthetic;

namespace PsyLite.Tests.Training.Data.Mix;

public sealed class MixRunTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    internal sealed class Quiet : IMixWatch, IProgress<long>
    {
        public IProgress<long> Begin(string step, long bytes) => this;

        public void Report(long value)
        {
        }
    }

    private void Generate()
    {
        var generator = new SourceGenerator(TextCorpus.Read(Path.Combine(ReferenceGraphTests.Root, "corpora")));
        generator.Write(SyntheticKind.R1Distill, 1200, 1, _folder["r1.jsonl"], default);
        generator.Write(SyntheticKind.CPsyCoun, 300, 2, _folder["cp.json"], default);
    }

    [Fact]
    public void Shares_hold_duplicates_go_and_a_repeat_gives_the_same_bytes()
    {
        Generate();
        MixOptions options = new()
        {
            Sources = [new(new SourceOptions(_folder["r1.jsonl"]) { MinScore = 7 }, 10), new(new SourceOptions(_folder["cp.json"]), 3)],
            Rows = 650,
            Splits = [new("train", 0.9), new("valid", 0.1)],
        };
        var manifest = MixRun.Run(options, _folder["a"], [], new Quiet(), default);
        MixRun.Run(options, _folder["b"], [], new Quiet(), default);
        var names = Directory.EnumerateFiles(_folder["a"]).Select(f => Path.GetFileName(f)).Order().ToList();
        Assert.Equal(["manifest.json", "mix.rejected.jsonl", "train.jsonl", "train.records.jsonl", "valid.jsonl", "valid.records.jsonl"], names);
        Assert.All(names, n => Assert.Equal(File.ReadAllBytes(_folder[$"a/{n}"]), File.ReadAllBytes(_folder[$"b/{n}"])));
        Assert.Equal((500, 150), (manifest.Sources["r1"], manifest.Sources["cp"]));
        Assert.True(manifest.Counts["filtered: near duplicate"] > 10, "the generator repeats rows");
        var valid = File.ReadLines(_folder["a/valid.records.jsonl"]).Count();
        Assert.InRange(valid, 40, 95);
        Assert.All(File.ReadLines(_folder["a/train.jsonl"]), l =>
        {
            var row = JsonSerializer.Deserialize<JsonElement>(l);
            Assert.Equal(["instruction", "input", "output"], row.EnumerateObject().Select(p => p.Name));
        });
        var other = MixRun.Run(options with { Seed = 2 }, _folder["c"], [], new Quiet(), default);
        Assert.NotEqual(manifest.Outputs[0].Sha256, other.Outputs[0].Sha256);
    }

    [Fact]
    public void A_dialogue_stays_in_one_part_and_evaluation_text_stays_out()
    {
        var records = Enumerable.Range(0, 60).SelectMany(d => Enumerable.Range(0, 4).Select(t => new DataRecord($"{d}/{t}", "counsel", "s",
            [new SampleMessage("user", $"第{d}段对话的第{t}句，{new string((char)('一' + (d * 7) + t), 12)}"), new SampleMessage("assistant", "我在听。")])
        { Group = $"d{d}" }));
        File.WriteAllLines(_folder["in.jsonl"], records.Select(r => r.ToJson()));
        File.WriteAllText(_folder["eval.json"], JsonSerializer.Serialize(new[] { $"求助者：第3段对话的第2句，{new string((char)('一' + 23), 12)}" }));
        var manifest = MixRun.Run(
            new MixOptions { Sources = [new(new SourceOptions(_folder["in.jsonl"]), 1)], Splits = [new("train", 1), new("valid", 1)], Duplicates = null, Against = [_folder["eval.json"]] },
            _folder["out"], [], new Quiet(), default);
        Assert.Equal(1, manifest.Counts["filtered: in an evaluation set"]);
        HashSet<string> Groups(string part) => [.. File.ReadLines(_folder[$"out/{part}.records.jsonl"]).Select(l => JsonSerializer.Deserialize<JsonElement>(l).GetProperty("group").GetString()!)];
        Assert.Empty(Groups("train").Intersect(Groups("valid")));
        Assert.Equal(60, Groups("train").Count + Groups("valid").Count);
        Assert.InRange(Groups("valid").Count, 15, 45);
    }

    [Fact]
    public void A_source_that_is_too_small_shrinks_the_mix_and_an_empty_one_fails()
    {
        Generate();
        var manifest = MixRun.Run(
            new MixOptions { Sources = [new(new SourceOptions(_folder["r1.jsonl"]), 1), new(new SourceOptions(_folder["cp.json"]), 1)], Rows = 5000 }, _folder["a"], [], new Quiet(), default);
        Assert.Equal(manifest.Sources["r1"], manifest.Sources["cp"]);
        Assert.Contains("r1.jsonl", Assert.Throws<InvalidDataException>(() => MixRun.Run(
            new MixOptions { Sources = [new(new SourceOptions(_folder["r1.jsonl"]) { MinScore = 11 }, 1)] }, _folder["b"], [], new Quiet(), default)).Message);
        Assert.Throws<InvalidDataException>(() => new MixOptions { Sources = [] }.Validated());
    }

    [Fact]
    public void Alpaca_rows_hold_the_reasoning_and_the_history_where_it_was_asked_for()
    {
        var record = new DataRecord("1", "counsel", "s",
        [
            new SampleMessage("user", "在吗"), new SampleMessage("assistant", "在的"), new SampleMessage("user", "我睡不着"), new SampleMessage("assistant", "先喘口气。") { Reasoning = "想" },
        ]);
        string Row(DataRecord r, AlpacaHistory history) => System.Text.Encoding.UTF8.GetString(AlpacaRow.Of(r, history)!);
        Assert.Equal(
            """{"instruction":"此前的对话：\n求助者：在吗\n支持者：在的\n请回应求助者接下来的话：","input":"我睡不着","output":"<think>\n想\n</think>\n\n先喘口气。"}""", Row(record, AlpacaHistory.Inside));
        Assert.Equal(
            """{"instruction":"我睡不着","input":"","output":"<think>\n想\n</think>\n\n先喘口气。","history":[["在吗","在的"]]}""", Row(record, AlpacaHistory.Field));
        var back = RowMapper.Map(JsonSerializer.Deserialize<JsonElement>(AlpacaRow.Of(record, AlpacaHistory.Field)!), 1, new SourceFacts("s", SourceFormat.Auto, null, null)).Record!;
        Assert.Equal(record.Messages, back.Messages);
        Assert.Null(AlpacaRow.Of(record with { Messages = [new SampleMessage("user", "a"), new SampleMessage("system", "b"), new SampleMessage("assistant", "c")] }, AlpacaHistory.Inside));
    }

    [Fact]
    public void Composed_samples_and_records_are_the_same_to_the_trainer()
    {
        var record = new DataRecord("1", "gist", "sleep/a", [new SampleMessage("user", "我睡不着"), new SampleMessage("assistant", "") { Reasoning = "话题：失眠", BreaksOff = true }]) { Topic = "睡眠" };
        var sample = TrainingSample.FromJson(record.ToJson());
        Assert.Equal((record.Kind, record.Source), (sample.Kind, sample.Source));
        Assert.Equal(record.Messages, sample.Messages);
        Assert.Null(record.Fault());
    }
}
