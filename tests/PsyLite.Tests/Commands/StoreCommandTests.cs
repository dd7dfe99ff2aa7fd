using System.Text.Json;
using Microsoft.Data.Sqlite;
using PsyLite.Store;
using PsyLite.Store.Sql;
using PsyLite.Tests.Store;

namespace PsyLite.Tests.Commands;

public sealed class StoreCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_store_is_exported_rotated_audited_and_erased()
    {
        var store = await Stores.SqliteAsync(_folder["psylite.db"], TimeProvider.System);
        var id = await store.CreateAsync(LocalOwner.Id, "我的标题");
        await store.TurnAsync(LocalOwner.Id, id, "t1", "说的话", "回的话");
        var key = await File.ReadAllTextAsync(_folder["psylite.db.key"]);

        var (code, output, error) = await RunAsync("store", "rotate-key");
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("2 把密钥", output);
        Assert.NotEqual(key, await File.ReadAllTextAsync(_folder["psylite.db.key"]));

        (code, _, error) = await RunAsync("store", "export", "--out", _folder["mine.json"]);
        Assert.Equal((0, ""), (code, error));
        Assert.Equal("我的标题", JsonDocument.Parse(await File.ReadAllTextAsync(_folder["mine.json"])).RootElement.GetProperty("conversations")[0].GetProperty("title").GetString());

        Assert.Equal(0, (await RunAsync("store", "erase", "--all")).Code);
        Assert.Empty(await new SqlConversationStore(await Stores.OpenAsync(_folder["psylite.db"], TimeProvider.System)).ListAsync(LocalOwner.Id, 0, 10, default));

        (code, output, _) = await RunAsync("audit", "verify");
        Assert.Equal((0, "3 条完好 records are as they were written"), (code, output.Trim()));
        using (var connection = new SqliteConnection($"Data Source={_folder["psylite.db"]};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "DELETE FROM audit WHERE Sequence = 3";
            Assert.Equal(1, command.ExecuteNonQuery());
        }

        (code, _, error) = await RunAsync("audit", "verify");
        Assert.Equal(1, code);
        Assert.Contains("the log ends at record 2, and 3 were written", Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries)));
    }

    [Theory]
    [InlineData("--conversation or everything", "store", "erase")]
    [InlineData("--conversation or everything", "store", "erase", "--all", "--conversation", "x")]
    [InlineData("--out", "store", "export")]
    [InlineData("json", "store", "export", "--format", "pdf", "--out", "x")]
    public async Task Wrong_use_is_told_from_failure(string words, params string[] arguments)
    {
        var (code, _, error) = await RunAsync(arguments);
        Assert.Equal(2, code);
        Assert.Contains(words.Split(" or ")[0], error);
        Assert.False(File.Exists(_folder["psylite.db"]));
    }

    private Task<(int Code, string Out, string Error)> RunAsync(params string[] arguments) =>
        PsyliteProcess.RunAsync(arguments, new Dictionary<string, string> { ["PSYLITE_STORE"] = _folder["psylite.db"] });
}
