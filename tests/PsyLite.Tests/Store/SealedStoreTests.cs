using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Data.Sqlite;
using PsyLite.Agent.Risk;
using PsyLite.Store;
using PsyLite.Store.Conversations;
using PsyLite.Store.Keys;
using PsyLite.Store.Sql;

namespace PsyLite.Tests.Store;

/// <summary>What a thief of the file reads (nothing), what a forger in it achieves (nothing unseen), and what is left after erasing (nothing).</summary>
[SupportedOSPlatform("linux")]
public sealed class SealedStoreTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Database => _folder["psylite.db"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_stolen_file_holds_no_word_of_anybody()
    {
        var store = await Stores.SqliteAsync(Database);
        string[] secrets = ["我把安眠药藏在抽屉里", "听起来你很久没有睡好", "她在害怕", "夜里的对话", "林医生", "13900001111", "河边散步", "phone-my-sister"];
        var settings = new PersonSettings { Contact = new(secrets[4], secrets[5]) };
        await store.SetSettingsAsync("a", settings, default);
        for (var i = 0; i < 40; i++)
        {
            await store.CreateAsync("a", $"c{i}", new ConversationHead(secrets[3], settings), default);
            var start = await store.BeginTurnAsync("a", $"c{i}", "t1", secrets[0], default);
            start.State.Plan.Answers[PsyLite.Agent.Crisis.PlanStep.Coping] = secrets[6];
            start.State.Tier = Tier.T3;
            await store.NoteRiskAsync("a", $"c{i}", "t1", start.State, default);
            await store.CommitTurnAsync("a", $"c{i}", "t1", new MessageBody(secrets[1]) { Reasoning = secrets[2] }, start.State, default);
        }

        await store.AddConsentAsync("a", new ConsentRecord(secrets[7], true, "1", DateTimeOffset.UnixEpoch), default);
        var bytes = Stores.Bytes(Database);
        Assert.True(bytes.Length > 100_000);
        foreach (var secret in secrets.Append("\"Tier\":\"T3\""))
        {
            Assert.Equal(-1, bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(secret)));
            Assert.Equal(-1, bytes.AsSpan().IndexOf(Encoding.Unicode.GetBytes(secret)));
        }

        // The search would find these bytes if they were there.
        Assert.NotEqual(-1, bytes.AsSpan().IndexOf("conversations"u8));
    }

    [Fact]
    public async Task The_files_are_the_owners_alone()
    {
        var store = await Stores.SqliteAsync(_folder["sub/psylite.db"]);
        await store.CreateAsync("a");
        foreach (var name in new[] { "sub/psylite.db", "sub/psylite.db.key", "sub/psylite.db-wal", "sub/psylite.db-shm" })
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_folder[name]));
        }

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(_folder["sub"]));
        File.SetUnixFileMode(_folder["sub/psylite.db.key"], (UnixFileMode)0b110_100_100);
        await Stores.OpenAsync(_folder["sub/psylite.db"]);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_folder["sub/psylite.db.key"]));
    }

    [Theory]
    [InlineData("UPDATE messages SET Body = (SELECT Body FROM messages WHERE ConversationId = 'c2' AND Ordinal = messages.Ordinal) WHERE ConversationId = 'c1'")]
    [InlineData("CREATE TEMP TABLE b AS SELECT * FROM messages; UPDATE messages SET Body = (SELECT b.Body FROM b WHERE b.ConversationId = messages.ConversationId AND b.Ordinal = 1 - messages.Ordinal)")]
    [InlineData("UPDATE messages SET Body = zeroblob(60)")]
    [InlineData("UPDATE messages SET Author = 1 - Author")]
    [InlineData("UPDATE messages SET TurnId = 'tx'")]
    public async Task A_message_that_was_changed_or_moved_is_known_as_damaged(string forgery)
    {
        var store = await TwoAsync();
        Execute(forgery);
        var messages = (await store.OpenAsync("a", "c1", default))!.Messages;
        Assert.All(messages, m => Assert.Equal((MessageStage.Damaged, (MessageBody?)null), (m.Stage, m.Body)));
    }

    [Fact]
    public async Task A_conversation_that_is_given_to_somebody_else_does_not_open()
    {
        var store = await TwoAsync();
        await store.CreateAsync("b");
        Execute("UPDATE conversations SET OwnerId = 'b' WHERE Id = 'c1'");
        await Assert.ThrowsAnyAsync<CryptographicException>(() => store.OpenAsync("b", "c1", default));
        Execute("UPDATE data_keys SET Wrapped = (SELECT Wrapped FROM data_keys WHERE Id = 'conversation c2') WHERE Id = 'conversation c1'");
        await Assert.ThrowsAnyAsync<CryptographicException>(() => store.OpenAsync("b", "c1", default));
    }

    [Fact]
    public async Task A_risk_state_that_was_changed_is_none_and_the_conversation_is_read_again()
    {
        var store = await TwoAsync();
        Execute("UPDATE conversations SET State = (SELECT State FROM conversations WHERE Id = 'c2') WHERE Id = 'c1'");
        Assert.Equal(("c1", 0), ((await store.OpenAsync("a", "c1", default))!.State.Id, (await store.OpenAsync("a", "c1", default))!.State.Turns));
        Assert.Equal(TurnStanding.Begun, (await store.BeginTurnAsync("a", "c1", "t2", "嗯", default)).Standing);
    }

    [Fact]
    public async Task Without_its_key_the_store_refuses_in_one_line_and_changes_nothing()
    {
        await TwoAsync();
        var key = await File.ReadAllTextAsync(Database + ".key");
        File.Delete(Database + ".key");
        var missing = await Assert.ThrowsAsync<StoreException>(() => Stores.OpenAsync(Database));
        Assert.Contains(".key is missing", missing.Message);
        Assert.False(File.Exists(Database + ".key"));
        var other = await Assert.ThrowsAsync<StoreException>(() => Stores.OpenAsync(Database, keys: KeySource.FromText(MasterKey.Create().ToBase64())));
        Assert.Contains("is not the key of", other.Message);
        await File.WriteAllTextAsync(Database + ".key", key);
        Assert.NotNull(await (await Stores.SqliteAsync(Database)).OpenAsync("a", "c1", default));
    }

    [Theory]
    [InlineData("")]
    [InlineData("not base64!")]
    [InlineData("AAAA")]
    [InlineData(",,\n")]
    public void A_key_that_is_none_is_refused_in_one_line(string text)
    {
        var fault = Assert.Throws<StoreException>(() => KeyRing.Parse(text));
        Assert.DoesNotContain('\n', fault.Message);
        Assert.True(text.Length < 4 || !fault.Message.Contains(text));
    }

    [Fact]
    public async Task After_erasing_neither_key_nor_content_is_in_any_file()
    {
        var store = await TwoAsync();
        var gone = Blobs("SELECT Wrapped FROM data_keys WHERE Id = 'conversation c1' UNION ALL SELECT Head FROM conversations WHERE Id = 'c1'"
            + " UNION ALL SELECT State FROM conversations WHERE Id = 'c1' UNION ALL SELECT Body FROM messages WHERE ConversationId = 'c1'");
        var kept = Blobs("SELECT Body FROM messages WHERE ConversationId = 'c2'");
        Assert.Equal(5, gone.Count);
        Assert.All(gone.Concat(kept), blob => Assert.NotEqual(-1, Stores.Bytes(Database).AsSpan().IndexOf(blob)));

        Assert.True(await store.EraseAsync("a", "c1", default));
        var bytes = Stores.Bytes(Database);
        Assert.All(gone, blob => Assert.Equal(-1, bytes.AsSpan().IndexOf(blob)));
        Assert.Equal(-1, bytes.AsSpan().IndexOf("conversation c1"u8));
        Assert.All(kept, blob => Assert.NotEqual(-1, bytes.AsSpan().IndexOf(blob)));

        await store.EraseOwnerAsync("a", default);
        Assert.All(kept, blob => Assert.Equal(-1, Stores.Bytes(Database).AsSpan().IndexOf(blob)));
    }

    [Theory]
    [InlineData("KeyAdded")]
    [InlineData("KeyInForce")]
    [InlineData("BatchRewrapped")]
    [InlineData("OlderDropped")]
    public async Task A_rotation_that_stops_at_any_step_loses_nothing_and_goes_on(string name)
    {
        var step = Enum.Parse<RotationStep>(name);
        var database = await Stores.OpenAsync(Database);
        var store = new SqlConversationStore(database);
        for (var i = 0; i < 130; i++)
        {
            await store.CreateAsync("a", $"c{i}", Stores.Head($"标题{i}"), default);
        }

        var before = database.Keys.Read().Current;
        await Assert.ThrowsAsync<InvalidOperationException>(() => new KeyRotation(database).RunAsync(reached => _ = reached == step ? throw new InvalidOperationException("stopped") : 0, default));

        // The next run of the program.
        database = await Stores.OpenAsync(Database);
        store = new SqlConversationStore(database);
        Assert.Equal(130, (await store.ListAsync("a", 0, 1000, default)).Count);
        await store.CreateAsync("a", "later", Stores.Head(), default);
        await new KeyRotation(database).RunAsync(null, default);
        Assert.Empty(database.Keys.Read().Older);
        Assert.NotEqual(before.Id, database.Keys.Read().Current.Id);
        var reopened = new SqlConversationStore(await Stores.OpenAsync(Database));
        Assert.Equal(131, (await reopened.ListAsync("a", 0, 1000, default)).Count);
        Assert.Equal(-1, Stores.Bytes(Database).AsSpan().IndexOf(Encoding.UTF8.GetBytes(before.Id)));
        var old = await Assert.ThrowsAsync<StoreException>(() => Stores.OpenAsync(Database, keys: KeySource.FromText(before.ToBase64())));
        Assert.Contains("is not the key of", old.Message);
    }

    [Fact]
    public async Task Keys_from_the_environment_rotate_when_the_new_one_is_put_in_front()
    {
        var (first, second) = (MasterKey.Create().ToBase64(), MasterKey.Create().ToBase64());
        var database = await Stores.OpenAsync(Database, keys: KeySource.FromText(first));
        await new SqlConversationStore(database).CreateAsync("a", "c1", Stores.Head("原样"), default);
        var refused = await Assert.ThrowsAsync<StoreException>(() => new KeyRotation(database).RunAsync(null, default));
        Assert.Contains("put a new one in front", refused.Message);
        database = await Stores.OpenAsync(Database, keys: KeySource.FromText($"{second},{first}"));
        Assert.Equal(2, await new KeyRotation(database).RunAsync(null, default));
        database = await Stores.OpenAsync(Database, keys: KeySource.FromText(second));
        Assert.Equal("原样", Assert.Single(await new SqlConversationStore(database).ListAsync("a", 0, 9, default)).Head.Title);
        Assert.False(File.Exists(Database + ".key"));
    }

    [Fact]
    public void Sealed_bytes_open_only_whole_and_under_their_name()
    {
        var key = DataKey.Create();
        var random = new Random(3);
        var plain = Encoding.UTF8.GetBytes("一句话 and some more of it");
        var box = key.SealBytes(plain, "a");
        Assert.Equal(plain, key.OpenBytes(box, "a"));
        Assert.NotEqual(box, key.SealBytes(plain, "a"));
        Assert.ThrowsAny<CryptographicException>(() => key.OpenBytes(box, "b"));
        Assert.ThrowsAny<CryptographicException>(() => DataKey.Create().OpenBytes(box, "a"));
        for (var length = 0; length < box.Length; length++)
        {
            Assert.ThrowsAny<CryptographicException>(() => key.OpenBytes(box[..length], "a"));
        }

        for (var i = 0; i < 2000; i++)
        {
            var forged = box.ToArray();
            forged[random.Next(forged.Length)] ^= (byte)(1 << random.Next(8));
            Assert.ThrowsAny<CryptographicException>(() => key.OpenBytes(forged, "a"));
        }
    }

    private async Task<SqlConversationStore> TwoAsync()
    {
        var store = await Stores.SqliteAsync(Database);
        foreach (var id in new[] { "c1", "c2" })
        {
            await store.CreateAsync("a", id, Stores.Head(), default);
            await store.TurnAsync("a", id, "t1", $"说{id}", $"答{id}");
        }

        return store;
    }

    private void Execute(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Database};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        Assert.True(command.ExecuteNonQuery() > 0);
    }

    private List<byte[]> Blobs(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Database};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        using var rows = command.ExecuteReader();
        var blobs = new List<byte[]>();
        while (rows.Read())
        {
            blobs.Add((byte[])rows[0]);
        }

        return blobs;
    }
}
