using PsyLite.ModelStore;
using PsyLite.Tests.ModelStore;
using PsyLite.Tests.Store;

namespace PsyLite.Tests.Commands;

/// <summary>psylite model pull, list and rm as processes.</summary>
public sealed class ModelStoreCommandTests
{
    private const string Id = "someone/counsel:q4";

    private static Dictionary<string, string> Environment(string models, Uri mirror) =>
        new() { ["PSYLITE_MODEL"] = "", ["PSYLITE_MODELS"] = models, ["PSYLITE_MIRROR"] = mirror.ToString() };

    private static Task<(int Code, string Out, string Error)> RunAsync(string models, Uri mirror, params string[] arguments) =>
        PsyliteProcess.RunAsync(arguments, Environment(models, mirror));

    [Fact]
    public async Task A_pulled_model_is_listed_resolved_by_its_name_and_removed()
    {
        await using var hub = await FakeHub.StartAsync();
        using var files = new TemporaryFolder();
        var models = files["models"];
        var (code, output, error) = await RunAsync(models, hub.Origin, "model", "pull", Id);
        Assert.Equal(0, code);
        Assert.StartsWith($"{Id}  Q4_K_M  0.3 MB  sha256:", output);
        Assert.DoesNotContain("━", output + error);
        (code, output, _) = await RunAsync(models, hub.Origin, "model", "list");
        Assert.Equal((0, $"{Id}\t0.3 MB\tQ4_K_M\t4096\tapache-2.0"), (code, output[..output.LastIndexOf('\t')]));

        // The file has no layers, so the engine refuses it; its line names the file that the name led to.
        (code, _, error) = await RunAsync(models, hub.Origin, "chat", "--once", "今天有点累", "--model", Id);
        Assert.Equal(1, code);
        Assert.Contains(hub.Sha256, error);
        (code, _, error) = await RunAsync(models, hub.Origin, "model", "rm", Id);
        Assert.Equal(1, code);
        Assert.Contains("--yes", error);
        Assert.Equal(0, (await RunAsync(models, hub.Origin, "model", "rm", Id, "--yes")).Code);
        Assert.Equal("", (await RunAsync(models, hub.Origin, "model", "list")).Out);
        Assert.Empty(Directory.GetFiles(models, "*.gguf", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData(1, "is not a model reference", "pull", "a b")]
    [InlineData(1, "check the name", "pull", "none/such")]
    [InlineData(1, "not encrypted", "pull", "x", "--mirror", "http://example.org")]
    [InlineData(1, "is not an address", "pull", "x", "--mirror", "nonsense")]
    [InlineData(1, "psylite model list", "rm", "x", "--yes")]
    [InlineData(2, "--unfinished", "rm")]
    public async Task Wrong_use_is_one_line(int expected, string words, params string[] arguments)
    {
        await using var hub = await FakeHub.StartAsync(4000);
        using var files = new TemporaryFolder();
        var (code, _, error) = await RunAsync(files["models"], hub.Origin, ["model", .. arguments]);
        Assert.Equal(expected, code);
        Assert.Contains(words, error);
    }

    [Fact]
    public async Task A_killed_pull_goes_on_where_it_was()
    {
        const int Parts = 48;
        await using var hub = await FakeHub.StartAsync(Parts << 20);
        using var files = new TemporaryFolder();
        var models = files["models"];

        // The first request sends 30 MB and falls silent; of these, three times 8 MB are recorded.
        hub.Behaves = _ => new Misbehaviour { HangsAfter = 30 << 20 };
        using (var process = PsyliteProcess.Start(["model", "pull", Id], Environment(models, hub.Origin)))
        {
            for (var looks = 0; looks < 1200 && hub.BytesSent < 30 << 20; looks++)
            {
                await Task.Delay(50);
            }

            await Task.Delay(1000);
            process.Kill();
            await process.WaitForExitAsync();
        }

        Assert.Equal("", (await RunAsync(models, hub.Origin, "model", "list")).Out);
        var before = hub.BytesSent;
        hub.Behaves = _ => Misbehaviour.None;
        var (code, _, error) = await RunAsync(models, hub.Origin, "model", "pull", Id);
        Assert.True(code == 0, error);
        Assert.InRange(hub.BytesSent - before, 1, (Parts - 20) << 20);
        var folder = new ModelFolder(models);
        Assert.Equal(hub.Model, File.ReadAllBytes(folder.PathOf(folder.Find(Id)!.Model)));
    }
}
