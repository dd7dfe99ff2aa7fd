using Microsoft.Extensions.AI;
using PsyLite.Engine;
using PsyLite.Tests.Store;

namespace PsyLite.Tests.Engine;

/// <summary>Conversations that outlive memory and the process.</summary>
public sealed class ConversationStoreTests
{
    private static readonly string Mini = Path.Combine(ReferenceGraphTests.Root, "models", "psylite-mini", "psylite-mini.q4_k_m.gguf");
    private static readonly ChatMessage[] Talk =
    [
        new(ChatRole.User, "最近总是睡不好，躺下就想白天的事，越想越清醒，第二天上班没有精神。"),
        new(ChatRole.Assistant, "听起来这段时间很累。白天的事情里，哪一件最让你放不下？"),
        new(ChatRole.User, "主要是项目要到期了，领导又加了新的要求，我怕做不完。"),
    ];

    private static readonly ChatMessage[] Other = [new(ChatRole.User, string.Concat(Enumerable.Repeat("今天去公园走了走，看见很多人在放风筝。", 8)))];

    private static LlamaModel Load(bool sharedCells, int sequences = 3) => LlamaModel.Load(
        new LlamaOptions { Path = Mini, Threads = 1, BatchThreads = 1, ContextLength = 512, Sequences = sequences, SharedCells = sharedCells, MemoryBudget = 1 });

    private static EngineCacheOptions Cache(string folder) => new() { Folder = folder, LeastTokens = 16 };

    private static ChatOptions Greedy(int tokens) => new() { Temperature = 0, MaxOutputTokens = tokens };

    private static async Task<ChatResponse> AskAsync(LlamaModel model, EngineCacheOptions? cache, params IReadOnlyList<ChatMessage[]> questions)
    {
        using var client = new LlamaChatClient(model, cache: cache);
        ChatResponse? last = null;
        foreach (var question in questions)
        {
            last = await client.GetResponseAsync(question, Greedy(24));
        }

        return last!;
    }

    /// <summary>Reasoning and reply.</summary>
    private static string Said(ChatResponse response) =>
        string.Concat(response.Messages.SelectMany(m => m.Contents).Select(c => c is TextReasoningContent reasoning ? reasoning.Text : (c as TextContent)?.Text));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_conversation_goes_on_after_a_restart_as_if_there_had_been_none(bool sharedCells)
    {
        using var folder = new TemporaryFolder();
        using var model = Load(sharedCells);
        var first = await AskAsync(model, Cache(folder["cache"]), Talk);
        ChatMessage[] next = [.. Talk, new(ChatRole.Assistant, Said(first)), new(ChatRole.User, "那我该怎么办")];
        var expected = await AskAsync(model, null, Talk, next);
        var restored = await AskAsync(model, Cache(folder["cache"]), [next]);
        Assert.Equal(Said(expected), Said(restored));
        Assert.Equal(expected.Usage!.CachedInputTokenCount, restored.Usage!.CachedInputTokenCount);
        Assert.Equal(expected.Usage.InputTokenCount, restored.Usage.InputTokenCount);
        Assert.True(restored.Usage.CachedInputTokenCount > first.Usage!.InputTokenCount - 2);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_had_to_make_room_comes_back(bool sharedCells)
    {
        using var folder = new TemporaryFolder();
        using var model = Load(sharedCells, sequences: 1);
        var again = await AskAsync(model, Cache(folder["cache"]), Talk, Other, Talk);
        Assert.Equal(again.Usage!.InputTokenCount - 1, again.Usage.CachedInputTokenCount);
        Assert.Equal(Said(await AskAsync(model, null, [Talk])), Said(again));
    }

    [Fact]
    public async Task Files_tell_nothing_and_are_the_owners_only()
    {
        using var folder = new TemporaryFolder();
        using var model = Load(sharedCells: true);
        await AskAsync(model, Cache(folder["cache"]), [Talk]);
        var file = Assert.Single(Directory.GetFiles(folder["cache"], "*.psykv"));
        var tokens = System.Runtime.InteropServices.MemoryMarshal.AsBytes<int>(model.Tokenize(Talk[0].Text).AsSpan(2, 4)).ToArray();
        Assert.Equal(-1, File.ReadAllBytes(file).AsSpan().IndexOf(tokens));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(folder["cache"], "cache.key")));
        }

        // With another key it is no more than noise, and goes.
        var other = await AskAsync(model, Cache(folder["cache"]) with { Key = new byte[32] }, [Talk]);
        Assert.Equal(0, other.Usage!.CachedInputTokenCount);
        Assert.False(File.Exists(file));
    }

    [Fact]
    public async Task Another_models_files_are_left_alone()
    {
        using var folder = new TemporaryFolder();
        using var model = Load(sharedCells: true);
        using var otherSettings = LlamaModel.Load(new LlamaOptions { Path = Mini, Threads = 1, ContextLength = 512, KvCache = KvCacheType.F16, SharedCells = true, MemoryBudget = 1 });
        await AskAsync(model, Cache(folder["cache"]), [Talk]);
        var foreign = await AskAsync(otherSettings, Cache(folder["cache"]), [Talk]);
        Assert.Equal(0, foreign.Usage!.CachedInputTokenCount);
        Assert.Equal(2, Directory.GetFiles(folder["cache"], "*.psykv").Length);
        Assert.True((await AskAsync(model, Cache(folder["cache"]), [Talk])).Usage!.CachedInputTokenCount > 0);
    }

    [Fact]
    public async Task The_longest_unused_files_go_when_the_folder_is_full()
    {
        using var folder = new TemporaryFolder();
        using var model = Load(sharedCells: true);
        await AskAsync(model, Cache(folder["cache"]), [Talk]);
        await AskAsync(model, Cache(folder["measure"]), [Other]);
        var size = new FileInfo(Directory.GetFiles(folder["measure"], "*.psykv").Single()).Length;
        File.SetLastWriteTimeUtc(Directory.GetFiles(folder["cache"], "*.psykv").Single(), DateTime.UnixEpoch);
        await AskAsync(model, Cache(folder["cache"]) with { MaxBytes = size + 1000 }, [Other]);
        Assert.Single(Directory.GetFiles(folder["cache"], "*.psykv"));
        Assert.Equal(0, (await AskAsync(model, Cache(folder["cache"]), [Talk])).Usage!.CachedInputTokenCount);
        Assert.Empty(Directory.GetFiles(folder["cache"], "*.tmp"));
    }

    [Fact]
    public async Task Damaged_files_are_as_if_they_had_never_been()
    {
        using var folder = new TemporaryFolder();
        using var model = Load(sharedCells: true);
        var expected = await AskAsync(model, Cache(folder["cache"]), [Talk]);
        var path = Directory.GetFiles(folder["cache"], "*.psykv").Single();
        var whole = File.ReadAllBytes(path);
        foreach (var damaged in new[] { whole[..^1], whole[..100], whole[..20], [], [.. whole[..^200], 1, .. whole[^199..]], [.. whole[..60], 7, .. whole[61..]] })
        {
            File.WriteAllBytes(path, damaged);
            var response = await AskAsync(model, Cache(folder["cache"]), [Talk]);
            Assert.Equal(Said(expected), Said(response));
            Assert.Equal(0, response.Usage!.CachedInputTokenCount);
        }
    }

    [Fact]
    public async Task A_folder_that_cannot_be_used_costs_nothing_but_the_cache()
    {
        using var folder = new TemporaryFolder();
        var file = folder["file"];
        File.WriteAllText(file, "");
        using var model = Load(sharedCells: true);
        Assert.NotEmpty(Said(await AskAsync(model, Cache(file), [Talk])));
    }
}

/// <summary>The reader of stored conversations against bytes that chance wrote.</summary>
public sealed class ConversationFileTests
{
    private static readonly byte[] Identity = [.. Enumerable.Range(0, ConversationFile.IdentityLength).Select(i => (byte)i)];
    private static readonly byte[] Key = [.. Enumerable.Range(0, 32).Select(i => (byte)(i * 7))];

    [Fact]
    public void What_is_written_is_read()
    {
        var (blocks, tokens, part) = ConversationFile.Open(new MemoryStream(Written()), Identity, Key);
        Assert.Equal([5, 6, 7], tokens);
        Assert.Equal(2, part);
        Assert.Equal(new byte[100], blocks.Read().ToArray());
        Assert.Equal([9], blocks.Read().ToArray());
        Assert.Throws<InvalidDataException>(() => blocks.Read());
    }

    [Fact]
    public void No_change_of_the_bytes_goes_unnoticed_or_does_worse_than_be_refused()
    {
        var whole = Written();
        var random = new Random(3);
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = whole.ToArray();
            switch (round % 4)
            {
                case 0:
                    bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes = bytes[..random.Next(bytes.Length)];
                    break;
                case 2:
                    random.NextBytes(bytes.AsSpan(random.Next(bytes.Length)));
                    break;
                default:
                    var at = random.Next(48, bytes.Length - 4);
                    BitConverter.TryWriteBytes(bytes.AsSpan(at), random.Next(2) == 0 ? int.MaxValue : -1);
                    break;
            }

            if (!bytes.AsSpan().SequenceEqual(whole))
            {
                Assert.Throws<InvalidDataException>(() =>
                {
                    var (blocks, _, _) = ConversationFile.Open(new MemoryStream(bytes), Identity, Key);
                    blocks.Read();
                    blocks.Read();
                });
            }
        }
    }

    private static byte[] Written()
    {
        using var stream = new MemoryStream();
        using (var blocks = ConversationFile.Begin(stream, Identity, Key, [5, 6, 7], 2))
        {
            blocks.Write(new byte[100]);
            blocks.Write([9]);
        }

        return stream.ToArray();
    }
}
