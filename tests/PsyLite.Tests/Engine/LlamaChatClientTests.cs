using System.Diagnostics;
using Microsoft.Extensions.AI;
using PsyLite.Engine;

namespace PsyLite.Tests.Engine;

[Collection(EngineCollection.Name)]
public sealed class LlamaChatClientTests(TinyModels models)
{
    private static readonly ChatMessage[] Hello = [new(ChatRole.User, "你好")];

    private static ChatOptions Greedy(int? tokens = null) => new() { Temperature = 0, MaxOutputTokens = tokens };

    [Fact]
    public async Task Reasoning_and_reply_come_apart_and_the_end_of_turn_stops()
    {
        using var client = Open(models.Scripted(TinyModels.NewLine, "<think>", "心", "情", "</think>", "你", "好", TinyModels.TurnEnd));
        var response = await client.GetResponseAsync(Hello, Greedy());
        Assert.Equal("你好", response.Text);
        Assert.Equal("心情", Assert.Single(response.Messages.Single().Contents.OfType<TextReasoningContent>()).Text);
        Assert.Equal(ChatFinishReason.Stop, response.FinishReason);
        Assert.Equal(6, response.Usage!.OutputTokenCount);
        Assert.Equal(response.Usage.InputTokenCount + 6, response.Usage.TotalTokenCount);
        Assert.True(response.Usage.AdditionalCounts!.ContainsKey(LlamaChatClient.ReplyMicros));
    }

    [Fact]
    public async Task Characters_of_several_tokens_arrive_whole()
    {
        // 好 is E5 A5 BD, 😀 is F0 9F 98 80; the last character stays incomplete and is dropped.
        using var client = Open(models.Scripted(TinyModels.NewLine, "0xE5", "0xA5", "0xBD", "0xF0", "0x9F", "0x98", "0x80", "0xE6", TinyModels.TurnEnd));
        var text = "";
        await foreach (var update in client.GetStreamingResponseAsync(Hello, Greedy()))
        {
            Assert.DoesNotContain('\uFFFD', update.Text);
            Assert.True(update.Text.Length == 0 || !char.IsHighSurrogate(update.Text[^1]));
            text += update.Text;
        }

        Assert.Equal("好😀", text);
    }

    [Fact]
    public async Task Stop_strings_end_the_reply_and_never_show()
    {
        using var client = Open(models.Scripted(TinyModels.NewLine, "今", "天", "很", "好", "的", TinyModels.TurnEnd));
        var options = Greedy();
        options.StopSequences = ["天很好", "。"];
        var updates = await client.GetStreamingResponseAsync(Hello, options).ToListAsync();
        Assert.Equal("今", string.Concat(updates.Select(u => u.Text)));
        Assert.Equal(ChatFinishReason.Stop, updates[^1].FinishReason);
        Assert.Equal(4, updates[^1].Contents.OfType<UsageContent>().Single().Details.OutputTokenCount);
    }

    [Fact]
    public async Task A_reply_ends_at_its_token_limit_and_at_the_end_of_the_context()
    {
        using var client = Open(models.Scripted(TinyModels.NewLine, "甲", "乙", "甲"));
        var limited = await client.GetResponseAsync(Hello, Greedy(7));
        Assert.Equal(("甲乙甲乙甲乙甲", ChatFinishReason.Length), (limited.Text, limited.FinishReason));
        var full = await client.GetResponseAsync(Hello, Greedy());
        Assert.Equal(ChatFinishReason.Length, full.FinishReason);
        Assert.Equal(2048, full.Usage!.TotalTokenCount);
    }

    [Fact]
    public async Task What_does_not_fit_the_context_fails_before_the_first_token()
    {
        using var client = Open(models.Random);
        var history = Enumerable.Range(0, 80).Select(i => new ChatMessage(ChatRole.User, "今天很好的心情")).ToList();
        var tooLong = await Assert.ThrowsAsync<LlamaException>(() => client.GetResponseAsync(history, Greedy(1)));
        var noRoom = await Assert.ThrowsAsync<LlamaException>(() => client.GetResponseAsync(Hello, Greedy(TinyModels.ContextLength)));
        Assert.Equal((LlamaError.PromptTooLong, LlamaError.PromptTooLong), (tooLong.Kind, noRoom.Kind));
        Assert.Equal(2, (await client.GetResponseAsync(Hello, Greedy(2))).Usage!.OutputTokenCount);
    }

    [Fact]
    public async Task A_shared_prefix_is_computed_once_and_changes_nothing()
    {
        using var model = LlamaModel.Load(TinyModels.Options(models.Random) with { KvCache = KvCacheType.F32 });
        using var client = new LlamaChatClient(model);
        using var fresh = new LlamaChatClient(model);
        ChatMessage[] first = [new(ChatRole.System, "我们很愉快"), new(ChatRole.User, "今天很好")];
        ChatMessage[] second = [.. first, new(ChatRole.Assistant, "好的"), new(ChatRole.User, "心情的")];
        var one = await client.GetResponseAsync(first, Greedy(8));
        Assert.Equal(0, one.Usage!.CachedInputTokenCount);
        var two = await client.GetResponseAsync(second, Greedy(30));
        Assert.Equal((await fresh.GetResponseAsync(second, Greedy(30))).Text, two.Text);
        Assert.InRange(two.Usage!.CachedInputTokenCount!.Value, one.Usage.InputTokenCount!.Value, two.Usage.InputTokenCount!.Value - 1);
        var again = await client.GetResponseAsync(second, Greedy(30));
        Assert.Equal(two.Text, again.Text);
        Assert.Equal(again.Usage!.InputTokenCount - 1, again.Usage.CachedInputTokenCount);
    }

    [Fact]
    public async Task Cancellation_ends_a_reply_at_once_and_the_next_request_is_served()
    {
        using var client = Open(models.Scripted(TinyModels.NewLine, "甲", "乙", "甲"));
        using var cancel = new CancellationTokenSource();
        var updates = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var update in client.GetStreamingResponseAsync(Hello, Greedy(), cancel.Token))
            {
                Assert.Empty(update.Contents.OfType<UsageContent>());
                if (++updates == 2)
                {
                    await cancel.CancelAsync();
                }
            }
        });
        Assert.Equal("甲", (await client.GetResponseAsync(Hello, Greedy(1))).Text);
    }

    [Fact]
    public async Task A_prompt_can_be_cancelled_midway_and_be_taken_up_again()
    {
        using var model = LlamaModel.Load(TinyModels.Options(models.Random) with { KvCache = KvCacheType.F32, BatchLength = 32 });
        using var scheduler = new LlamaScheduler(model);
        using var other = new LlamaScheduler(model);
        int[] prompt = [.. Enumerable.Range(0, 400).Select(i => 3 + i * 31 % 250)];
        int[][] continuations = [[20, 30], [40]];
        for (var round = 0; round < 20; round++)
        {
            using var cancel = new CancellationTokenSource(TimeSpan.FromMicroseconds(200 * round));
            try
            {
                await scheduler.ScoreAsync(prompt, continuations, cancel.Token);
            }
            catch (OperationCanceledException)
            {
            }
        }

        var expected = await other.ScoreAsync(prompt, continuations, CancellationToken.None);
        Assert.Equal(expected, await scheduler.ScoreAsync(prompt, continuations, CancellationToken.None), (a, b) => Math.Abs(a - b) < 1e-3);
    }

    [Fact]
    public async Task Leaving_a_stream_early_frees_the_model()
    {
        using var client = Open(models.Scripted(TinyModels.NewLine, "甲", "乙", "甲"));
        await foreach (var update in client.GetStreamingResponseAsync(Hello, Greedy()))
        {
            break;
        }

        Assert.Equal("甲乙", (await client.GetResponseAsync(Hello, Greedy(2))).Text);
    }

    [Fact]
    public async Task Several_callers_get_their_own_replies()
    {
        using var model = LlamaModel.Load(new LlamaOptions { Path = models.Random });
        using var client = new LlamaChatClient(model);
        using var alone = Open(models.Random);
        var questions = Enumerable.Range(0, 6).Select(i => new ChatMessage[] { new(ChatRole.User, $"今天{i}") }).ToList();
        var expected = new List<string>();
        foreach (var question in questions)
        {
            expected.Add((await alone.GetResponseAsync(question, Greedy(12))).Text);
        }

        var replies = await Task.WhenAll(questions.Select(q => client.GetResponseAsync(q, Greedy(12))));
        Assert.Equal(expected, replies.Select(r => r.Text));
        Assert.True(expected.Distinct().Count() > 1);
    }

    [Fact]
    public async Task Disposing_ends_what_is_running_and_what_waits()
    {
        var client = Open(models.Scripted(TinyModels.NewLine, "甲", "乙", "甲"));
        var requests = Enumerable.Range(0, 3).Select(_ => client.GetResponseAsync(Hello, Greedy())).ToList();
        client.Dispose();
        foreach (var request in requests)
        {
            try
            {
                await request.WaitAsync(TimeSpan.FromSeconds(20));
            }
            catch (OperationCanceledException)
            {
            }
        }

        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.GetResponseAsync(Hello, Greedy(1)));
    }

    [Fact]
    public async Task Callers_are_not_blocked_while_the_model_works()
    {
        using var client = Open(models.Scripted(TinyModels.NewLine, "甲", "乙", "甲"));
        await client.Ready;
        var started = Stopwatch.GetTimestamp();
        var running = client.GetResponseAsync(Hello, Greedy());
        var returned = Stopwatch.GetElapsedTime(started);
        Assert.False(running.IsCompleted);
        await running;
        Assert.True(returned < Stopwatch.GetElapsedTime(started) / 2, $"the call took {returned} of {Stopwatch.GetElapsedTime(started)}");
    }

    [Fact]
    public void The_client_tells_its_parts()
    {
        using var client = Open(models.Random);
        Assert.Same(client, client.GetService(typeof(ILabelScorer)));
        Assert.Equal("random", ((ChatClientMetadata)client.GetService(typeof(ChatClientMetadata))!).DefaultModelId);
        Assert.NotNull(client.GetService(typeof(LlamaModel)));
        Assert.Null(client.GetService(typeof(string)));
    }

    private static LlamaChatClient Open(string path)
    {
        using var model = LlamaModel.Load(TinyModels.Options(path));
        return new LlamaChatClient(model);
    }
}
