using System.Text.Json;
using PsyLite.Tests.Store;
using PsyLite.Training.Data.Import;
using PsyLite.Training.Data.Records;

namespace PsyLite.Tests.Training.Data.Import;

public sealed class ImportRunTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Nothing_is_lost_silently_and_a_repeat_gives_the_same_bytes()
    {
        File.WriteAllLines(_folder["r1.jsonl"],
        [
            """{"instruction":"甲","input":"","output":"<think>想</think>好","repo_name":"general/wiki","score":9}""",
            """{"instruction":"乙","input":"","output":"<think>想</think>好","repo_name":"math/x","score":10}""",
            "not json",
            "",
            """{"instruction":"丙","input":"","output":"<think>想</think>好","repo_name":"general/wiki","score":8}""",
            """{"instruction":"丁，电话13812345678","input":"","output":"<think>想</think>好","repo_name":"general/wiki","score":"9.5"}""",
            """{"instruction":"戊"}""",
        ]);
        DataManifest Run() => ImportRun.Run(
            [new SourceOptions(_folder["r1.jsonl"]) { MinScore = 9, Repositories = ["general"], Licence = "Apache-2.0" }], _folder["out.jsonl"], scrubs: true, [], null, default);

        var manifest = Run();
        Assert.Equal(["filtered: repo_name 1", "filtered: score 1", "kept 2", "places scrubbed 1", "read 6", "rejected 2"], manifest.Counts.Select(c => $"{c.Key} {c.Value}"));
        var records = File.ReadLines(_folder["out.jsonl"]).Select(l => JsonSerializer.Deserialize<JsonElement>(l)).ToList();
        Assert.Equal(["甲", "丁，电话【电话】"], records.Select(r => r.GetProperty("messages")[0].GetProperty("content").GetString()));
        Assert.Equal(9.5, records[1].GetProperty("score").GetDouble());
        Assert.Equal([(3, true), (7, false)], File.ReadLines(_folder["out.jsonl.rejected.jsonl"]).Select(l => JsonSerializer.Deserialize<JsonElement>(l))
            .Select(r => (r.GetProperty("line").GetInt32(), r.GetProperty("reason").GetString()!.Contains("not JSON"))));

        var first = _folder.Names.ToDictionary(n => n, n => File.ReadAllText(_folder[n]));
        Run();
        Assert.Equal(first, _folder.Names.ToDictionary(n => n, n => File.ReadAllText(_folder[n])));
        Assert.Equal(manifest.Outputs[0].Sha256, JsonSerializer.Deserialize<JsonElement>(first["out.jsonl.manifest.json"]).GetProperty("outputs")[0].GetProperty("sha256").GetString());
    }

    [Fact]
    public void A_folder_of_dialogues_takes_its_topics_from_its_folders()
    {
        foreach (var topic in new[] { "Career", "Love&Marriage" })
        {
            Directory.CreateDirectory(_folder[$"e/{topic}"]);
            File.WriteAllText(_folder[$"e/{topic}/1.json"], """["求助者：甲","支持者：乙"]""");
        }

        ImportRun.Run([new SourceOptions(_folder["e"])], _folder["out.jsonl.gz"], scrubs: false, [], null, default);
        var records = RecordReading.Records([new SourceOptions(_folder["out.jsonl.gz"])], new DataManifest(""), null, default).ToList();
        Assert.Equal([("e/1", "Career"), ("e/2", "Love&Marriage")], records.Select(r => (r.Id, r.Topic!)));
    }

    [Fact]
    public void A_source_without_a_usable_row_fails_and_leaves_only_the_reasons()
    {
        File.WriteAllText(_folder["x.jsonl"], "{}\n");
        Assert.Contains("rejected", Assert.Throws<InvalidDataException>(() => ImportRun.Run([new SourceOptions(_folder["x.jsonl"])], _folder["out.jsonl"], false, [], null, default)).Message);
        Assert.Equal(["out.jsonl.rejected.jsonl", "x.jsonl"], _folder.Names);
        Assert.Throws<FileNotFoundException>(() => ImportRun.Run([new SourceOptions(_folder["none"])], _folder["out.jsonl"], false, [], null, default));
    }
}
