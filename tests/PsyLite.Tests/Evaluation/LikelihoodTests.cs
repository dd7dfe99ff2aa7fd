using PsyLite.Commands.Eval;
using PsyLite.Engine;
using PsyLite.Evaluation.CEval;
using PsyLite.Evaluation.Runs;
using PsyLite.Options;

namespace PsyLite.Tests.Evaluation;

/// <summary>
/// Likelihoods of option letters as <c>eval ceval --exact</c> scores them (many questions in a batch, four letters on branches of one prompt, what
/// prompts share computed once) against llama.cpp decoding each prompt alone: one sequence, an empty float32 cache.
/// </summary>
public sealed class LikelihoodTests : IDisposable
{
    private readonly Respondents _respondents = new();

    public void Dispose() => _respondents.Dispose();

    [Fact]
    public async Task Two_hundred_questions_score_as_a_plain_decode_scores_them()
    {
        var data = CEvalData.Read(Path.Combine(ReferenceGraphTests.Root, "eval-sets", "ceval"), "val");
        var options = new AppOptions();
        var official = Options("official", 0);
        var spoken = Options("opencompass-ppl", 0);
        var some = data with { Questions = [.. data.Questions.Take(200 - data.Questions.Count)] };
        List<(CEvalOptions Options, CEvalAnswer Answer)> answers;
        using (var model = await EvaluatedModel.OpenAsync(options, Surroundings.None, Arithmetic.Exact, parallel: null, default))
        {
            Assert.Equal("F32", model.Respondent.Facts.Settings["cache"]);
            var asker = new Asker(model.Respondent, _respondents.Open(), 1);
            answers =
            [
                .. (await new CEvalRun(asker, official).RunAsync(data)).Select(a => (official, a)),
                .. (await new CEvalRun(asker, spoken).RunAsync(some)).Select(a => (spoken, a)),
            ];
        }

        Assert.Equal(200, answers.Count);
        using var plain = LlamaModel.Load(new LlamaOptions { Path = options.ModelPath, Repack = false });
        foreach (var (asked, answer) in answers)
        {
            var subject = CEvalSubject.All.Single(s => s.Id == answer.Question.Subject);
            var prompt = CEvalPrompt.Text(asked.Variant, subject, [.. data.Examples[subject.Id].Take(answer.Shots)], answer.Question);
            var texts = CEvalQuestion.Letters.Select(letter => plain.Vocabulary.Encode(prompt + letter, parseSpecial: false, addSpecial: true)).ToList();
            Assert.All(texts, t => Assert.Equal(texts[0][..^1], t[..^1]));
            var logits = LlamaLogits.Compute(plain, texts[0].AsSpan(0, texts[0].Length - 1))[^1];
            var largest = (double)logits.Max();
            var normalizer = largest + Math.Log(logits.Sum(l => Math.Exp(l - largest)));
            Assert.Equal(texts.Select(t => logits[t[^1]] - normalizer), answer.LogLikelihoods!, (a, b) => Math.Abs(a - b) < 1e-3);
        }
    }

    private static CEvalOptions Options(string variant, int shots) => new(CEvalVariant.All.Single(v => v.Name == variant), "val") { Shots = shots };
}
