using Microsoft.Extensions.AI;
using PsyLite.Engine;

namespace PsyLite.Tests.Engine;

[Collection(EngineCollection.Name)]
public sealed class LabelScorerTests(TinyModels models)
{
    private static readonly ChatMessage[] Conversation = [new(ChatRole.User, "今天很好，心情不错")];

    private LlamaOptions Exact => TinyModels.Options(models.Random) with { KvCache = KvCacheType.F32, FlashAttention = false };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Scores_are_the_sums_of_token_log_likelihoods(bool sharedCells)
    {
        using var model = LlamaModel.Load(Exact with { SharedCells = sharedCells, Sequences = 3 });
        using var scheduler = new LlamaScheduler(model);
        string[] labels = ["愉快", "平稳", "低落", "今天很好的心情", "", "龘", "好", "的", "了", "我们你", "甲乙", string.Concat(Enumerable.Repeat("丙丁", 12))];
        var prompt = new ChatPrompt(model.Vocabulary, model.Template).Encode(Conversation);
        int[][] continuations = [.. labels.Select(l => model.Tokenize(l))];
        var scores = await scheduler.ScoreAsync(prompt, continuations, CancellationToken.None);
        Assert.Single(model.Tokenize(labels[0]));
        Assert.Equal(2, model.Tokenize(labels[1]).Length);
        for (var i = 0; i < labels.Length; i++)
        {
            Assert.Equal(Reference(model, prompt, model.Tokenize(labels[i])), scores[i], 1e-3);
        }

        // Nothing of the labels stays behind: asked again, in the same sequence, they are as likely.
        var load = await scheduler.InspectAsync(steps => steps.Load);
        Assert.Equal((0, 3, prompt.Length), (load.Running, load.IdleSequences, load.UsedCells));
        Assert.Equal(scores, await scheduler.ScoreAsync(prompt, continuations, CancellationToken.None), (a, b) => Math.Abs(a - b) < 1e-4);
    }

    [Fact]
    public async Task Scoring_and_replying_share_the_conversation()
    {
        using var model = LlamaModel.Load(Exact);
        using var client = new LlamaChatClient(model);
        using var fresh = new LlamaChatClient(model);
        var options = new ChatOptions { Temperature = 0, MaxOutputTokens = 24 };
        var expected = await fresh.GetResponseAsync(Conversation, options);
        await client.ScoreAsync([.. Conversation, new(ChatRole.User, "心情？")], ["愉快", "平稳", "低落"]);
        var reply = await client.GetResponseAsync(Conversation, options);
        Assert.Equal(expected.Text, reply.Text);

        // All but the generation prompt was there; the judge's question is gone.
        var promptTokens = reply.Usage!.InputTokenCount!.Value;
        Assert.InRange(reply.Usage.CachedInputTokenCount!.Value, promptTokens - 1 - "<assistant\n".Length, promptTokens - 1);
    }

    /// <summary>The mood is asked behind the reply: what the model said must still be there for the next turn.</summary>
    [Fact]
    public async Task A_question_behind_a_reply_leaves_the_reply_in_the_cache()
    {
        using var model = LlamaModel.Load(Exact with { SharedCells = true, Sequences = 3 });
        using var client = new LlamaChatClient(model);
        var options = new ChatOptions { Temperature = 0, MaxOutputTokens = 40 };
        var reply = await client.GetResponseAsync(Conversation, options);
        Assert.Equal(40, reply.Usage!.OutputTokenCount);
        var scores = await client.ScoreAsync([.. Conversation, new(ChatRole.User, "心情？")], ["愉快", "平稳", "低落"]);
        var load = await client.Scheduler.InspectAsync(steps => steps.Load);
        Assert.Equal((0, 3), (load.Running, load.IdleSequences));
        Assert.Equal(reply.Usage.InputTokenCount + 39, load.UsedCells);

        using var fresh = new LlamaChatClient(model);
        Assert.Equal(await fresh.ScoreAsync([.. Conversation, new(ChatRole.User, "心情？")], ["愉快", "平稳", "低落"]), scores, (a, b) => Math.Abs(a - b) < 1e-4);
    }

    [Fact]
    public async Task No_labels_and_too_long_labels()
    {
        using var model = LlamaModel.Load(Exact);
        using var client = new LlamaChatClient(model);
        Assert.Empty(await client.ScoreAsync(Conversation, []));
        var failure = await Assert.ThrowsAsync<LlamaException>(async () => await client.ScoreAsync(Conversation, ["好", new string('龘', 400)]));
        Assert.Equal(LlamaError.PromptTooLong, failure.Kind);
        Assert.Single(await client.ScoreAsync(Conversation, ["好"]));
    }

    [Fact]
    public void One_pass_gives_the_logits_of_token_by_token()
    {
        using var model = LlamaModel.Load(Exact);
        var tokens = model.Tokenize("今天很好的心情，我们很愉快。");
        var all = LlamaLogits.Compute(model, tokens);
        Assert.Equal(tokens.Length, all.Length);
        for (var i = 1; i <= tokens.Length; i++)
        {
            var last = LlamaLogits.Compute(model, tokens.AsSpan(0, i))[^1];
            for (var v = 0; v < last.Length; v++)
            {
                Assert.Equal(last[v], all[i - 1][v], 1e-3);
            }
        }
    }

    private static double Reference(LlamaModel model, int[] prompt, int[] label)
    {
        var sum = 0.0;
        for (var i = 0; i < label.Length; i++)
        {
            var logits = LlamaLogits.Compute(model, [.. prompt, .. label[..i]])[^1];
            var largest = (double)logits.Max();
            sum += logits[label[i]] - largest - Math.Log(logits.Sum(l => Math.Exp(l - largest)));
        }

        return sum;
    }
}
