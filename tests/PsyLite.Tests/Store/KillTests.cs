using System.Diagnostics;
using Microsoft.Data.Sqlite;
using PsyLite.Store.Conversations;
using PsyLite.Store.Sql;

namespace PsyLite.Tests.Store;

/// <summary>
/// kill -9 under load: what was confirmed is there, and nothing is there by half. At each of fifty random moments every thread of the program is
/// stopped and the files are copied as they lie: that is what a kill at this moment leaves. Three of the times the kill is real, and the next run
/// goes on with the same files.
/// </summary>
public sealed class KillTests : IDisposable
{
    private const int Runs = 3;
    private const int MomentsOfRun = 17;
    private readonly TemporaryFolder _folder = new();
    private readonly Random _random = new(7);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_was_confirmed_survives_a_kill_at_fifty_moments_and_no_half_turn_is_shown()
    {
        var path = _folder["load.db"];
        var broken = 0;
        for (var run = 0; run < Runs; run++)
        {
            using var process = Start(path, run);
            var ready = process.StandardOutput.ReadLineAsync();
            for (var moment = 1; moment < MomentsOfRun; moment++)
            {
                // The first of a run may come while the store is still being opened, or made.
                await (moment == 1 ? Task.Delay(_random.Next(2000)) : ready.WaitAsync(TimeSpan.FromMinutes(1)));
                await Task.Delay(_random.Next(60));
                broken += await CheckAsync(await StoppedProcess.CopyFilesAsync(process, path, _folder[$"{run}-{moment}"]));
            }

            process.Kill();
            await process.WaitForExitAsync();
            broken += await CheckAsync(path);
        }

        var confirmed = File.ReadAllLines(StoreLoad.ListOf(path)).Length;
        Assert.True(confirmed > 40 && broken > 10, $"{confirmed} writes were confirmed and {broken} turns caught half-way: there was no load");
    }

    /// <summary>Gives the number of turns that were caught half-way.</summary>
    private static async Task<int> CheckAsync(string path)
    {
        var database = await Stores.OpenAsync(path, TimeProvider.System);
        Assert.Null(database.Notice);
        var store = new SqlConversationStore(database);
        await store.Turns.RecoverAsync(TimeProvider.System.GetUtcNow().AddSeconds(1), default);
        var confirmed = File.Exists(StoreLoad.ListOf(path)) ? File.ReadAllLines(StoreLoad.ListOf(path)).ToHashSet() : [];
        var seen = new HashSet<string>();
        var broken = 0;
        foreach (var summary in await store.ListAsync(StoreLoad.Owner, 0, 100, default))
        {
            var conversation = (await store.OpenAsync(StoreLoad.Owner, summary.Id, default))!;
            Assert.Equal(Enumerable.Range(0, conversation.Messages.Count), conversation.Messages.Select(m => m.Ordinal));
            Assert.Equal(conversation.Messages.Count / 2, conversation.Messages.Select(m => m.TurnId).Distinct().Count());
            foreach (var message in conversation.Messages)
            {
                Assert.True(message.Stage is MessageStage.Committed or MessageStage.Broken, $"{message.TurnId} is {message.Stage}");
                var isPerson = message.Author == Author.Person;
                Assert.Equal(message.Stage == MessageStage.Broken ? null : isPerson ? StoreLoad.Said(message.TurnId) : StoreLoad.Answered(message.TurnId), message.Body?.Text);
                broken += message.Stage == MessageStage.Broken ? 1 : 0;
                if (message.Body is not null)
                {
                    seen.Add($"{(isPerson ? 'B' : 'C')} {message.TurnId}");
                }
            }

            // The state is as new as the last reply, and no turn has raised it twice.
            var replies = conversation.Messages.Count(m => m is { Author: Author.Program, Stage: MessageStage.Committed });
            Assert.InRange(conversation.State.Episodes, replies, conversation.Messages.Count / 2);
        }

        Assert.Empty(confirmed.Except(seen));
        using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        using var check = connection.CreateCommand();
        check.CommandText = "PRAGMA integrity_check";
        Assert.Equal("ok", check.ExecuteScalar());

        // This process opens and closes the files when it copies them, which drops the locks of its idle connections; none may be left.
        SqliteConnection.ClearAllPools();
        return broken;
    }

    private static Process Start(string path, int seed)
    {
        return Process.Start(new ProcessStartInfo("dotnet", [typeof(KillTests).Assembly.Location, "store-load", path, $"{seed}"]) { RedirectStandardOutput = true })!;
    }
}
