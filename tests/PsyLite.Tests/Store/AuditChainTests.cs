using Microsoft.Data.Sqlite;
using PsyLite.Store.Audit;
using PsyLite.Store.Sql;
using PsyLite.Tests.Agent;

namespace PsyLite.Tests.Store;

public sealed class AuditChainTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ManualTime _time = new();

    private string Path => _folder["psylite.db"];

    private string Head => _folder["psylite.audit"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_log_that_nobody_touched_is_whole_and_names_no_conversation()
    {
        var database = await Stores.OpenAsync(Path, _time);
        var chain = new AuditChain(database, Head);
        Assert.Equal(new AuditVerdict(0, null), await chain.VerifyAsync(default));
        await FillAsync(chain);
        Assert.Equal(new AuditVerdict(6, null), await chain.VerifyAsync(default));
        await new KeyRotation(database).RunAsync(null, default);
        await FillAsync(chain);
        Assert.Equal(new AuditVerdict(12, null), await new AuditChain(await Stores.OpenAsync(Path, _time), Head).VerifyAsync(default));
        Assert.Equal(-1, Stores.Bytes(Path).AsSpan().IndexOf("conversation-7"u8));
    }

    [Theory]
    [InlineData("UPDATE audit SET Tier = 'T0' WHERE Sequence = 3", "record 3 is not")]
    [InlineData("UPDATE audit SET At = At + 1 WHERE Sequence = 1", "record 1 is not")]
    [InlineData("UPDATE audit SET ModelHash = 'x' WHERE Sequence = 4", "record 4 is not")]
    [InlineData("UPDATE audit SET Rule = 'r3Ticket', Action = 'Raised' WHERE Sequence = 3", "record 3 is not")]
    [InlineData("UPDATE audit SET Hash = zeroblob(32) WHERE Sequence = 2", "record 2 is not")]
    [InlineData("DELETE FROM audit WHERE Sequence = 4", "record 4 is missing")]
    [InlineData("DELETE FROM audit WHERE Sequence = 1", "record 1 is missing")]
    [InlineData("UPDATE audit SET Sequence = 100 - Sequence; UPDATE audit SET Sequence = Sequence - 93", "record 1 is not")]
    [InlineData("DELETE FROM audit WHERE Sequence > 4", "ends at record 4, and 6 were written")]
    [InlineData("DELETE FROM audit", "ends at record 0, and 6 were written")]
    [InlineData("INSERT INTO audit SELECT 7, At, Tier, Rule, Action, ModelHash, Conversation, Hash FROM audit WHERE Sequence = 6", "record 7 is not")]
    [InlineData("DELETE FROM audit; DELETE FROM data_keys WHERE Id = 'audit'", "the log and its key are gone")]
    public async Task A_forger_is_found_out_at_the_first_record(string forgery, string found)
    {
        var chain = new AuditChain(await Stores.OpenAsync(Path, _time), Head);
        await FillAsync(chain);
        using (var connection = new SqliteConnection($"Data Source={Path};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = forgery;
            Assert.True(command.ExecuteNonQuery() > 0);
        }

        Assert.Contains(found, (await chain.VerifyAsync(default)).Fault);
    }

    [Fact]
    public async Task A_head_that_is_missing_or_forged_is_said()
    {
        var chain = new AuditChain(await Stores.OpenAsync(Path, _time), Head);
        await FillAsync(chain);
        var head = await File.ReadAllTextAsync(Head);
        await File.WriteAllTextAsync(Head, head.Replace("6 ", "4 "));
        Assert.Contains("was not written by this installation", (await chain.VerifyAsync(default)).Fault);
        File.Delete(Head);
        Assert.Contains("is missing", (await chain.VerifyAsync(default)).Fault);
        await File.WriteAllTextAsync(Head, head);
        Assert.Null((await chain.VerifyAsync(default)).Fault);
    }

    [Fact]
    public async Task Two_that_write_at_once_make_one_chain()
    {
        var chains = new List<AuditChain>();
        for (var i = 0; i < 3; i++)
        {
            chains.Add(new AuditChain(await Stores.OpenAsync(Path, _time), Head));
        }

        await Task.WhenAll(chains.Select(chain => Task.Run(async () =>
        {
            for (var i = 0; i < 10; i++)
            {
                await FillAsync(chain);
            }
        })));
        Assert.Equal(new AuditVerdict(180, null), await chains[0].VerifyAsync(default));
    }

    private async Task FillAsync(AuditChain chain)
    {
        for (var i = 1; i <= 3; i++)
        {
            _time.Pass(TimeSpan.FromSeconds(1));
            await chain.AppendAsync(
                [
                    new AuditEntry(_time.GetUtcNow(), "T3", $"r{i}", "TicketRaised", null, "conversation-7"),
                    new AuditEntry(_time.GetUtcNow(), "T1", $"g{i}", "GuardCut", "sha256-1", null),
                ],
                default);
        }
    }
}
