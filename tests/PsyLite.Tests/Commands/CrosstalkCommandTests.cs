using System.Text.Json;
using PsyLite.Tests.Store;

namespace PsyLite.Tests.Commands;

public sealed class CrosstalkCommandTests : IDisposable
{
    private const string Good = """{"id":"a","title":"火锅","themes":["火锅"],"tone":"轻松","unfit":["厌食"],"lines":["甲：一","乙：二","甲：三","乙：四"],"licence":"MIT"}""";
    private readonly TemporaryFolder _folder = new();
    private string _embedder = "";

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Check_and_import_name_every_refused_line()
    {
        var file = _folder["in.jsonl"];
        await File.WriteAllTextAsync(file, Good + "\n" + Good.Replace("甲：三", "甲：看 https://x.example") + "\n" + Good.Replace("MIT", ""));
        var (code, output, error) = await RunAsync("check", file);
        Assert.Equal(1, code);
        Assert.Contains($"{file}:2: a: it holds markup, a link", output);
        Assert.Contains($"{file}:3: a: it names no licence", output);
        Assert.Contains("1 段可用 fit, 2", error);

        (code, output, error) = await RunAsync("import", file);
        Assert.Equal(0, code);
        Assert.Equal(2, output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Contains("1 段导入 imported, 0 段保留 kept, 2", error);
        Assert.True(File.Exists(_folder["crosstalk.db"]));
    }

    [Fact]
    public async Task An_import_says_whether_meaning_is_indexed()
    {
        var file = _folder["in.jsonl"];
        await File.WriteAllTextAsync(file, Good);
        var (code, _, error) = await RunAsync("import", file);
        Assert.Equal(0, code);
        Assert.Contains("PSYLITE_EMBEDDER", error);
        Assert.DoesNotContain(_folder.Names, name => name.EndsWith(".vec", StringComparison.Ordinal));
        _embedder = _folder["tiny.gguf"];
        Engine.TinyEncoder.Write(_embedder, pooling: 2);
        (code, _, error) = await RunAsync("import", file);
        Assert.Equal(0, code);
        Assert.DoesNotContain("PSYLITE_EMBEDDER", error);
        Assert.Contains(_folder.Names, name => name.EndsWith(".vec", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_import_of_nothing_fails_in_one_line()
    {
        var (code, _, error) = await RunAsync("import", "/nowhere/in.jsonl");
        Assert.Equal(1, code);
        Assert.Contains("/nowhere/in.jsonl", Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries)));
        await File.WriteAllTextAsync(_folder["bad.yaml"], "- [");
        (code, _, error) = await RunAsync("import", _folder["bad.yaml"]);
        Assert.Equal(1, code);
        Assert.Contains("readable YAML", Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries)));
        Assert.False(File.Exists(_folder["crosstalk.db"]));
    }

    [Fact]
    public async Task List_shows_the_tags_of_our_pieces()
    {
        var (code, output, _) = await RunAsync("list", "--theme", "驾照");
        Assert.Equal(0, code);
        Assert.All(output.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => Assert.Equal(6, line.Split('\t').Length));
        Assert.Contains("驾照", output);
    }

    [Fact]
    public async Task The_bench_prints_one_JSON_line_a_measure()
    {
        var (code, output, error) = await RunAsync(["bench", "retrieval", "--passages", "400", "--queries", "20", "--vectors"]);
        Assert.True(code == 0, error);
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonDocument.Parse(l).RootElement).ToList();
        Assert.All(lines, l => Assert.Equal(["bench", "case", "metric", "value", "unit", "peer", "peerValue", "ratio"], l.EnumerateObject().Select(p => p.Name)));
        foreach (var metric in new[] { "buildSeconds", "indexBytes", "p50Ms", "p95Ms", "sharedTop10WithExactBm25", "bytesScanned" })
        {
            Assert.Contains(lines, l => l.GetProperty("metric").GetString() == metric && l.GetProperty("value").GetDouble() > 0);
        }
    }

    private Task<(int Code, string Out, string Error)> RunAsync(string verb, params string[] arguments) => RunAsync(["crosstalk", verb, .. arguments]);

    private Task<(int Code, string Out, string Error)> RunAsync(string[] arguments) =>
        PsyliteProcess.RunAsync(arguments, new Dictionary<string, string> { ["PSYLITE_CROSSTALK_INDEX"] = _folder["crosstalk.db"], ["PSYLITE_EMBEDDER"] = _embedder });
}
