using System.Text;
using PsyLite.Store.Conversations;
using PsyLite.Store.Sql;

namespace PsyLite.Tests.Store;

/// <summary>
/// People who talk without end, each in a conversation of their own, in a process that is about to be killed. What the store has confirmed is
/// written to a list of its own first thing, so that the test knows what must still be there.
/// </summary>
internal static class StoreLoad
{
    public const int People = 4;
    public const string Owner = "load";

    public static string ListOf(string store) => store + ".confirmed";

    public static string Said(string turn) => $"我说了{turn}，" + string.Concat(Enumerable.Repeat(turn, 20)) + "。";

    public static string Answered(string turn) => $"答{turn}：" + string.Concat(Enumerable.Repeat(turn, 60)) + "。完";

    public static async Task<int> RunAsync(string path, int seed)
    {
        var database = await Stores.OpenAsync(path, TimeProvider.System);
        var store = new SqlConversationStore(database);
        await store.Turns.RecoverAsync(TimeProvider.System.GetUtcNow(), CancellationToken.None);
        await using var list = new FileStream(ListOf(path), FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        Console.WriteLine("ready");
        await Task.WhenAll(Enumerable.Range(0, People).Select(p => TalkAsync(store, $"person{p}", new Random(seed + p), list)));
        return 0;
    }

    private static async Task TalkAsync(SqlConversationStore store, string conversation, Random random, FileStream list)
    {
        if (await store.OpenAsync(Owner, conversation, default) is not { } known)
        {
            await store.CreateAsync(Owner, conversation, new ConversationHead("负载", new PersonSettings()), default);
            known = (await store.OpenAsync(Owner, conversation, default))!;
        }

        // Every second time what broke off is tried again under its name, else left behind.
        var messages = known.Messages.Count;
        var again = known.Messages is [.., { Stage: MessageStage.Broken } broken] && random.Next(2) == 0 ? broken.TurnId : null;
        while (true)
        {
            var turn = again ?? $"{conversation}-{messages}";
            messages += again is null ? 2 : 0;
            again = null;
            var start = await store.BeginTurnAsync(Owner, conversation, turn, Said(turn), default);
            Confirm(list, $"B {turn}");
            start.State.Turns++;
            start.State.Episodes++;
            await store.NoteRiskAsync(Owner, conversation, turn, start.State, default);
            if (await store.CommitTurnAsync(Owner, conversation, turn, new MessageBody(Answered(turn)), start.State, default))
            {
                Confirm(list, $"C {turn}");
            }
        }
    }

    private static void Confirm(FileStream list, string line)
    {
        lock (list)
        {
            list.Write(Encoding.ASCII.GetBytes(line + "\n"));
        }
    }
}
