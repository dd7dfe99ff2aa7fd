using System.Text.Json;
using Microsoft.Extensions.AI;
using PsyLite.Engine;

namespace PsyLite.Tests.Engine;

[Collection(EngineCollection.Name)]
public sealed class SamplingTests(TinyModels models)
{
    private static readonly ChatMessage[] Hello = [new(ChatRole.User, "你好")];

    [Fact]
    public async Task A_seed_repeats_a_reply_and_another_changes_it()
    {
        using var model = LlamaModel.Load(TinyModels.Options(models.Random));
        using var client = new LlamaChatClient(model);
        async Task<string> Reply(long seed) =>
            (await client.GetResponseAsync(Hello, new ChatOptions { Temperature = 1.5f, TopK = 0, TopP = 1, MaxOutputTokens = 30, Seed = seed })).Text;
        Assert.Equal(await Reply(5), await Reply(5));
        Assert.NotEqual(await Reply(5), await Reply(6));
    }

    [Theory]
    [InlineData(1.3f, 0f, 0f)]
    [InlineData(1f, 0.8f, 0.4f)]
    [InlineData(1.1f, 0.2f, 0f)]
    public async Task Penalties_with_the_first_cut_choose_what_the_definition_chooses(float repeat, float frequency, float presence)
    {
        using var model = LlamaModel.Load(TinyModels.Options(models.Random) with { KvCache = KvCacheType.F32, FlashAttention = false });
        using var scheduler = new LlamaScheduler(model);
        var prompt = new ChatPrompt(model.Vocabulary, model.Template).Encode(Hello);
        const int window = 8;
        var settings = new SamplingSettings(Temperature: 0, RepeatPenalty: repeat, FrequencyPenalty: frequency, PresencePenalty: presence, PenaltyWindow: window);
        var handover = new TextHandover();
        var result = await scheduler.GenerateAsync(prompt, new GenerationRequest(settings, 24, []), handover, CancellationToken.None);

        List<int> expected = [];
        while (expected.Count < result.ReplyTokens)
        {
            var logits = LlamaLogits.Compute(model, [.. prompt, .. expected])[^1];
            foreach (var seen in expected.TakeLast(window).GroupBy(t => t))
            {
                ref var logit = ref logits[seen.Key];
                logit = (logit <= 0 ? logit * repeat : logit / repeat) - seen.Count() * frequency - presence;
            }

            expected.Add(Array.IndexOf(logits, logits.Max()));
        }

        var decoded = new TextHandover();
        var text = new ReplyText(model.Vocabulary, [], decoded);
        expected.ForEach(t => text.Add(t));
        text.Finish();
        decoded.Complete();
        Assert.Equal(AllOf(decoded), AllOf(handover));
        Assert.True(result.ReplyTokens > window);
    }

    [Fact]
    public void Additional_properties_are_read_in_the_forms_that_front_ends_send()
    {
        var options = new ChatOptions
        {
            AdditionalProperties = new AdditionalPropertiesDictionary
            {
                ["min_p"] = 0.2,
                ["repeat_penalty"] = JsonDocument.Parse("1.25").RootElement,
                ["repeat_last_n"] = 32,
            },
        };
        var settings = SamplingSettings.From(options);
        Assert.Equal((0.2f, 1.25f, 32), (settings.MinP, settings.RepeatPenalty, settings.PenaltyWindow));
    }

    [Theory]
    [InlineData(-1f, 1f)]
    [InlineData(float.NaN, 1f)]
    [InlineData(1f, 1.5f)]
    public void Values_without_a_meaning_are_refused(float temperature, float topP) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => SamplingSettings.From(new ChatOptions { Temperature = temperature, TopP = topP }));

    private static string AllOf(TextHandover handover)
    {
        var text = "";
        while (handover.ReadAsync(CancellationToken.None) is { IsCompleted: true } read && read.Result is { } part)
        {
            text += part;
        }

        return text;
    }
}
