using Microsoft.EntityFrameworkCore;
using PsyLite.Store.Keys;
using PsyLite.Store.Sql;

namespace PsyLite.Tests.Store;

/// <summary>Writes that share a transaction on SQLite: each stands or falls by itself, and none is told of before it is on the disk.</summary>
public sealed class GroupCommitTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Writes_that_wait_share_a_transaction_and_one_that_fails_is_taken_back_alone()
    {
        var database = await OpenAsync();
        var hold = new TaskCompletionSource();
        var first = Add(database, "first", hold.Task);
        var others = Enumerable.Range(0, 20).Select(i => Add(database, $"f{i}", Task.CompletedTask, i == 7 ? new InvalidOperationException("seven") : null)).ToList();
        Assert.All(others, other => Assert.False(other.IsCompleted));
        hold.SetResult();
        await first;
        Assert.Equal("seven", (await Assert.ThrowsAsync<InvalidOperationException>(() => others[7])).Message);
        var sizes = (await Task.WhenAll(others.Where((_, i) => i != 7))).Distinct().ToList();
        Assert.Single(sizes);
        Assert.Equal(20, await database.ReadAsync(db => db.Facts.CountAsync(f => f.Name == "first" || f.Name.StartsWith("f"), default)));
        Assert.False(await database.ReadAsync(db => db.Facts.AnyAsync(f => f.Name == "f7")));
    }

    [Fact]
    public async Task Who_is_told_finds_the_write_with_a_connection_of_its_own()
    {
        var database = await OpenAsync();
        await Task.WhenAll(Enumerable.Range(0, 100).Select(async i =>
        {
            await Add(database, $"f{i}", Task.CompletedTask);
            Assert.True(await database.ReadAsync(db => db.Facts.AnyAsync(f => f.Name == $"f{i}")));
        }));
    }

    [Fact]
    public async Task A_write_that_was_called_off_while_it_waited_is_not_done()
    {
        var database = await OpenAsync();
        using var stop = new CancellationTokenSource();
        var hold = new TaskCompletionSource();
        var first = Add(database, "first", hold.Task);
        var second = database.WriteAsync(db => Task.FromResult(db.Facts.Add(new FactRow { Name = "second", Value = "" }).Entity), stop.Token);
        await stop.CancelAsync();
        hold.SetResult();
        await first;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        Assert.False(await database.ReadAsync(db => db.Facts.AnyAsync(f => f.Name == "second")));
    }

    private Task<StoreDatabase> OpenAsync() =>
        StoreDatabase.OpenAsync(new SqliteBackend(_folder["psylite.db"], TimeProvider.System), KeySource.FromFile(_folder["key"]), TimeProvider.System, default);

    /// <summary>Gives the transaction's connection, which tells two transactions at one time apart.</summary>
    private static Task<int> Add(StoreDatabase database, string name, Task hold, Exception? fault = null) => database.WriteAsync(
        async db =>
        {
            await hold;
            db.Facts.Add(new FactRow { Name = name, Value = "" });
            await db.SaveChangesAsync();
            return fault is null ? db.Database.CurrentTransaction!.GetDbTransactionHash() : throw fault;
        },
        default);
}

file static class Transactions
{
    public static int GetDbTransactionHash(this Microsoft.EntityFrameworkCore.Storage.IDbContextTransaction transaction) =>
        System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(Microsoft.EntityFrameworkCore.Storage.DbContextTransactionExtensions.GetDbTransaction(transaction));
}
