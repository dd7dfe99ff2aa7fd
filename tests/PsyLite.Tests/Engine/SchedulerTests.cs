using Microsoft.Extensions.AI;
using PsyLite.Engine;

namespace PsyLite.Tests.Engine;

/// <summary>Many callers of one model: the built-in one where the text matters, a tiny one where the number of requests does.</summary>
[Collection(EngineCollection.Name)]
public sealed class SchedulerTests(TinyModels models)
{
    private static readonly string Mini = Path.Combine(ReferenceGraphTests.Root, "models", "psylite-mini", "psylite-mini.q4_k_m.gguf");
    private static readonly string[] Moods = ["最近总是睡不好", "工作压力很大", "和朋友吵架了", "今天很开心", "想家了", "考试没考好", "不想上班", "心里很乱"];

    private static ChatMessage[] Question(int i) => [new(ChatRole.User, $"{Moods[i % Moods.Length]}，第{i}天了")];

    private static ChatOptions Greedy(int tokens) => new() { Temperature = 0, MaxOutputTokens = tokens };

    private static LlamaModel Load(bool sharedCells, int sequences = 16, int context = 512) => LlamaModel.Load(
        new LlamaOptions { Path = Mini, Threads = 1, BatchThreads = 1, ContextLength = context, Sequences = sequences, SharedCells = sharedCells, MemoryBudget = 1 << 30 });

    private LlamaModel LoadTiny(bool sharedCells, int sequences) => LlamaModel.Load(
        TinyModels.Options(models.Scripted(TinyModels.NewLine, "甲", "乙", "甲")) with { ContextLength = 512, Sequences = sequences, SharedCells = sharedCells, MemoryBudget = 1 << 26 });

    /// <summary>Reasoning and reply.</summary>
    private static string Said(ChatResponse response) =>
        string.Concat(response.Messages.SelectMany(m => m.Contents).Select(c => c is TextReasoningContent reasoning ? reasoning.Text : (c as TextContent)?.Text));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Sixteen_at_once_say_what_each_says_alone(bool sharedCells)
    {
        using var model = Load(sharedCells);
        using var alone = new LlamaChatClient(model);
        using var together = new LlamaChatClient(model);
        var expected = new List<string>();
        for (var i = 0; i < 16; i++)
        {
            expected.Add(Said(await alone.GetResponseAsync(Question(i), Greedy(24))));
        }

        var replies = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => together.GetResponseAsync(Question(i), Greedy(24))));
        Assert.Equal(expected, replies.Select(Said));
        Assert.True(expected.Distinct().Count() > 4);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_thousand_cancelled_midway_leave_nothing_taken(bool sharedCells)
    {
        using var model = LoadTiny(sharedCells, sequences: 6);
        using var client = new LlamaChatClient(model);
        var noise = new Random(4);
        var random = Enumerable.Range(0, 1000).Select(_ => noise.Next(1, 4)).ToArray();
        await Parallel.ForEachAsync(Enumerable.Range(0, 1000), new ParallelOptions { MaxDegreeOfParallelism = 40 }, async (i, _) =>
        {
            using var cancel = new CancellationTokenSource();
            var seen = 0;
            try
            {
                await foreach (var update in client.GetStreamingResponseAsync(Question(i), Greedy(200), cancel.Token))
                {
                    if (++seen >= random[i])
                    {
                        await cancel.CancelAsync();
                    }
                }
            }
            catch (OperationCanceledException)
            {
            }
        });
        var (load, broken) = await client.Scheduler.InspectAsync(steps => (steps.Load, steps.Inconsistencies()));
        Assert.Equal((0, 0, 6), (load.Running, load.Waiting, load.IdleSequences));
        Assert.Empty(broken);
        var emptied = await client.Scheduler.InspectAsync(steps =>
        {
            steps.EvictAll();
            return steps.Load;
        });
        Assert.Equal(0, emptied.UsedCells);
        Assert.NotEmpty((await client.GetResponseAsync(Question(1), Greedy(8))).Text);
    }

    [Fact]
    public async Task Five_hundred_in_the_queue_are_all_served_in_the_order_they_came()
    {
        using var model = LoadTiny(sharedCells: true, sequences: 8);
        using var scheduler = new LlamaScheduler(model);
        await scheduler.Ready;
        var request = new GenerationRequest(new SamplingSettings(Temperature: 0), 4, []);
        var results = await Task.WhenAll(Enumerable.Range(0, 500).Select(
            i => scheduler.GenerateAsync(model.Tokenize($"今天{i}很好\n"), request, new TextHandover(), CancellationToken.None)));
        Assert.All(results, r => Assert.InRange(r.ReplyTokens, 1, 4));

        // Places in the order of arrival and of admission differ by no more than a few rounds of eight.
        var order = results.Select((r, i) => (r.Started, i)).Order().Select(r => r.i).ToList();
        var furthest = order.Select((i, place) => Math.Abs(i - place)).Max();
        Assert.True(furthest <= 32, $"one request was {furthest} places from its turn");
    }

    [Fact]
    public async Task A_long_prompt_is_not_passed_over_for_ever()
    {
        using var model = Load(sharedCells: true, sequences: 2, context: 2048);
        using var client = new LlamaChatClient(model);
        using var stop = new CancellationTokenSource();
        ChatMessage[] history = [.. Enumerable.Range(0, 40).SelectMany(i => Question(i))];
        var crowd = Enumerable.Range(0, 6).Select(async lane =>
        {
            for (var i = lane; !stop.IsCancellationRequested; i += 6)
            {
                await client.GetResponseAsync(Question(i), Greedy(6));
            }
        }).ToList();
        var reply = await client.GetResponseAsync(history, Greedy(4)).WaitAsync(TimeSpan.FromSeconds(20));
        await stop.CancelAsync();
        await Task.WhenAll(crowd);
        Assert.True(reply.Usage!.InputTokenCount > 300);
    }

    [Fact]
    public async Task A_full_queue_is_refused_in_one_line()
    {
        using var model = LoadTiny(sharedCells: false, sequences: 1);
        using var client = new LlamaChatClient(model);
        using var stop = new CancellationTokenSource();
        var accepted = Enumerable.Range(0, LlamaScheduler.MostWaiting + 1).Select(i => client.GetResponseAsync(Question(1), Greedy(400), stop.Token)).ToList();
        var refused = await Assert.ThrowsAsync<LlamaException>(() => client.GetResponseAsync(Question(2), Greedy(4)));
        Assert.Equal(LlamaError.Busy, refused.Kind);
        Assert.DoesNotContain('\n', refused.Message);
        await stop.CancelAsync();
        await Task.WhenAll(accepted).ContinueWith(_ => { }, TaskScheduler.Default);
        Assert.NotEmpty((await client.GetResponseAsync(Question(2), Greedy(4))).Text);
    }

    [Fact]
    public async Task Conversations_that_take_turns_keep_their_prefix()
    {
        using var model = Load(sharedCells: true, sequences: 4, context: 1024);
        using var client = new LlamaChatClient(model);
        var histories = Enumerable.Range(0, 3).Select(i => Question(i).ToList()).ToList();
        for (var turn = 0; turn < 4; turn++)
        {
            foreach (var history in histories)
            {
                var before = history.Count > 1 ? history[^2].Text : null;
                var response = await client.GetResponseAsync(history, Greedy(16));
                if (turn > 0)
                {
                    // All but the newest message, the reply's reasoning and the marks around them was there.
                    Assert.InRange(response.Usage!.InputTokenCount!.Value - response.Usage.CachedInputTokenCount!.Value, 1, 60);
                    Assert.True(response.Usage.CachedInputTokenCount > 8 * turn);
                }

                history.Add(new ChatMessage(ChatRole.Assistant, Said(response)));
                history.Add(new ChatMessage(ChatRole.User, $"{before}后来呢"));
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_long_system_prompt_is_computed_once_for_everybody(bool sharedCells)
    {
        using var model = Load(sharedCells, sequences: 4, context: 1024);
        using var client = new LlamaChatClient(model);
        ChatMessage system = new(ChatRole.System, string.Concat(Enumerable.Repeat("你是一位温和的倾听者，先听，再问，不评判。", 12)));
        var first = await client.GetResponseAsync([system, .. Question(0)], Greedy(60));
        var second = await client.GetResponseAsync([system, .. Question(1)], Greedy(8));
        Assert.Equal(0, first.Usage!.CachedInputTokenCount);
        Assert.True(second.Usage!.CachedInputTokenCount > 100);
        using var alone = new LlamaChatClient(model);
        Assert.Equal(Said(await alone.GetResponseAsync([system, .. Question(1)], Greedy(8))), Said(second));
    }

    [Fact]
    public async Task A_pool_that_is_full_of_old_conversations_makes_room()
    {
        using var model = LlamaModel.Load(new LlamaOptions
        {
            Path = Mini,
            Threads = 1,
            BatchThreads = 1,
            ContextLength = 256,
            Sequences = 8,
            SharedCells = true,
            MemoryBudget = 1,
        });
        using var client = new LlamaChatClient(model);
        for (var i = 0; i < 12; i++)
        {
            var response = await client.GetResponseAsync(Question(i), Greedy(60));
            Assert.NotEmpty(Said(response));
            var (load, broken) = await client.Scheduler.InspectAsync(steps => (steps.Load, steps.Inconsistencies()));
            Assert.InRange(load.UsedCells, 1, 256);
            Assert.Empty(broken);
        }
    }
}
