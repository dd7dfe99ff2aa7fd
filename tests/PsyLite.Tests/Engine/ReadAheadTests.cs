using Microsoft.Extensions.AI;
using PsyLite.Engine;

namespace PsyLite.Tests.Engine;

/// <summary>What is computed while nobody waits: the next turn finds it, others never notice.</summary>
[Collection(EngineCollection.Name)]
public sealed class ReadAheadTests(TinyModels models)
{
    private static readonly string Mini = Path.Combine(ReferenceGraphTests.Root, "models", "psylite-mini", "psylite-mini.q4_k_m.gguf");

    private static ChatOptions Greedy(int tokens) => new() { Temperature = 0, MaxOutputTokens = tokens };

    private static LlamaModel Load(bool sharedCells, int context = 1024) => LlamaModel.Load(
        new LlamaOptions { Path = Mini, Threads = 1, BatchThreads = 1, ContextLength = context, Sequences = 4, SharedCells = sharedCells, KvCache = KvCacheType.F32, MemoryBudget = 1 << 30 });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_next_turn_computes_its_own_words_only(bool sharedCells)
    {
        using var model = Load(sharedCells);
        using var client = new LlamaChatClient(model);
        using var fresh = new LlamaChatClient(model);
        ChatMessage[] first = [new(ChatRole.User, "最近总是睡不好，白天没有精神，也不想见人")];
        var reply = await client.GetResponseAsync(first, Greedy(120));
        Assert.Contains(reply.Messages.Single().Contents, c => c is TextReasoningContent);

        List<ChatMessage> known = [.. first, new(ChatRole.Assistant, reply.Text)];
        client.ReadAhead(known);
        await IdleAsync(client);
        List<ChatMessage> next = [.. known, new(ChatRole.User, "嗯")];
        var ahead = await client.GetResponseAsync(next, Greedy(40));
        Assert.InRange(ahead.Usage!.InputTokenCount!.Value - ahead.Usage.CachedInputTokenCount!.Value, 1, "\n嗯\n<assistant\n".Length);

        // Without it the reply itself is computed again, since the reasoning before it is gone.
        await fresh.GetResponseAsync(first, Greedy(120));
        var behind = await fresh.GetResponseAsync(next, Greedy(40));
        Assert.True(behind.Usage!.InputTokenCount - behind.Usage.CachedInputTokenCount > 20);
        Assert.Equal(behind.Text, ahead.Text);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_request_does_not_wait_for_it_and_finds_what_was_done(bool sharedCells)
    {
        using var model = Load(sharedCells);
        using var client = new LlamaChatClient(model);
        await client.Ready;
        List<ChatMessage> talk = [new(ChatRole.User, string.Concat(Enumerable.Repeat("今天过得很慢，", 90))), new(ChatRole.Assistant, "嗯，我在听。")];
        client.ReadAhead(talk);
        var other = await client.GetResponseAsync([new(ChatRole.User, "你好")], Greedy(8));
        Assert.True(other.Usage!.OutputTokenCount > 0);
        await IdleAsync(client);

        // Stopped for a request of the same conversation, its tokens are that request's.
        client.ReadAhead([.. talk, new(ChatRole.User, "还有"), new(ChatRole.Assistant, string.Concat(Enumerable.Repeat("慢慢说，", 60)))]);
        var same = await client.GetResponseAsync([.. talk, new(ChatRole.User, "还有")], Greedy(8));
        Assert.Equal(8, same.Usage!.OutputTokenCount);
        await IdleAsync(client);
        var (load, broken) = await client.Scheduler.InspectAsync(steps => (steps.Load, steps.Inconsistencies()));
        Assert.Equal((0, 0, 4), (load.Running, load.Waiting, load.IdleSequences));
        Assert.Empty(broken);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Among_many_requests_and_cancellations_nothing_stays_taken(bool sharedCells)
    {
        using var model = LlamaModel.Load(
            TinyModels.Options(models.Scripted(TinyModels.NewLine, "甲", "乙", "甲")) with { ContextLength = 512, Sequences = 4, SharedCells = sharedCells, MemoryBudget = 1 << 26 });
        using var client = new LlamaChatClient(model);
        await Parallel.ForEachAsync(Enumerable.Range(0, 300), new ParallelOptions { MaxDegreeOfParallelism = 12 }, async (i, _) =>
        {
            ChatMessage[] said = [new(ChatRole.User, $"第{i}天了，今天很好")];
            using var cancel = new CancellationTokenSource();
            cancel.CancelAfter(i % 5 == 0 ? i % 7 : Timeout.Infinite);
            try
            {
                var reply = await client.GetResponseAsync(said, Greedy(12), cancel.Token);
                client.ReadAhead([.. said, new(ChatRole.Assistant, reply.Text)]);
            }
            catch (OperationCanceledException)
            {
            }
        });
        await IdleAsync(client);
        var (load, broken) = await client.Scheduler.InspectAsync(steps => (steps.Load, steps.Inconsistencies()));
        Assert.Equal((0, 0, 4), (load.Running, load.Waiting, load.IdleSequences));
        Assert.Empty(broken);
    }

    [Fact]
    public async Task What_is_longer_than_the_context_and_what_comes_after_the_end_is_nobodys_trouble()
    {
        using var model = Load(sharedCells: true, context: 256);
        var client = new LlamaChatClient(model);
        client.ReadAhead([new(ChatRole.User, new string('长', 400)), new(ChatRole.Assistant, "嗯")]);
        await IdleAsync(client);
        Assert.Equal(0, await client.Scheduler.InspectAsync(steps => steps.Load.UsedCells));
        client.ReadAhead([new(ChatRole.User, "你好"), new(ChatRole.Assistant, new string('嗯', 100))]);
        client.Dispose();
        Assert.Throws<ObjectDisposedException>(() => client.ReadAhead([new(ChatRole.User, "你好"), new(ChatRole.Assistant, "嗯")]));
    }

    private static async Task IdleAsync(LlamaChatClient client)
    {
        while (!await client.Scheduler.InspectAsync(steps => steps.IsIdle))
        {
            await Task.Delay(5);
        }
    }
}
