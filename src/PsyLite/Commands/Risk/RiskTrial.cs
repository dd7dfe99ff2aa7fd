using System.Globalization;
using PsyLite.Agent.Risk;
using PsyLite.Agent.Risk.Learned;
using PsyLite.Evaluation.Safety;

namespace PsyLite.Commands.Risk;

/// <summary>How well the classifier alone ranks messages that it was not trained on, as a first look right after training.</summary>
internal sealed class RiskTrial(byte[] file)
{
    private static readonly double[] FalseAlarms = [0.01, 0.03, 0.05, 0.10];
    private readonly TrainingFeatures _features = new();

    public void Print(IEnumerable<LabelledMessage> messages)
    {
        var scored = messages.Where(m => !m.IsDialogue && !m.Source.StartsWith("phrases", StringComparison.Ordinal)).Select(m => (Message: m, Scores: _features.Score(file, m.Text))).ToList();
        Console.WriteLine($"{scored.Count} messages held back; recall at 1, 3, 5 and 10 % false alarms");
        double[] Scores(Func<LabelledMessage, bool> which, RiskOutput output) => [.. scored.Where(s => which(s.Message)).Select(s => (double)s.Scores[(int)output]).OrderDescending()];
        var calm = Scores(m => m.Tier == Tier.T0, RiskOutput.Danger);
        Line("T2-T4", Scores(m => m.Tier is Tier.T2 or Tier.T3 or Tier.T4, RiskOutput.Danger), calm);
        Line("T3-T4", Scores(m => m.Tier is Tier.T3 or Tier.T4, RiskOutput.Danger), calm);
        Line("TO", Scores(m => m.Tier is Tier.TO, RiskOutput.Danger), calm);
        Line("TA", Scores(m => m.Tier is Tier.TA, RiskOutput.Danger), calm);
        Line("TF", Scores(m => m.Tier is Tier.TF, RiskOutput.Friend), Scores(m => m.Tier == Tier.T0, RiskOutput.Friend));
        Line("happy", Scores(m => m.Mood == LabelledMood.Happy, RiskOutput.Happy), Scores(m => m.Mood != LabelledMood.Happy, RiskOutput.Happy));
        foreach (var source in scored.Where(s => s.Message.Tier == Tier.T0).GroupBy(s => s.Message.Source))
        {
            var rates = new[] { 0.3f, 0.4f, 0.5f, 0.6f, 0.7f }.Select(t => source.Count(s => s.Scores[0] >= t) / (double)source.Count());
            Console.WriteLine($"T0 {source.Key} {source.Count(),5}, alarmed at 0.3 to 0.7: {string.Join("  ", rates.Select(r => r.ToString("F3", CultureInfo.InvariantCulture)))}");
        }

        foreach (var source in scored.GroupBy(s => s.Message.Source))
        {
            Line($"T2-T4 {source.Key}", [.. source.Where(s => s.Message.Tier is Tier.T2 or Tier.T3 or Tier.T4).Select(s => (double)s.Scores[0])], calm);
        }
    }

    public void Print(IEnumerable<LabelledRequest> requests)
    {
        var scored = requests.Select(r => (Request: r, Score: (double)_features.Score(file, r.Said)[(int)RiskOutput.HarmfulRequest])).ToList();
        Line("requests", [.. scored.Where(s => s.Request.IsHarmful).Select(s => s.Score)], [.. scored.Where(s => !s.Request.IsHarmful).Select(s => s.Score).OrderDescending()]);
    }

    private static void Line(string name, double[] positive, double[] negative)
    {
        if (positive.Length == 0 || negative.Length == 0)
        {
            return;
        }

        var recalls = FalseAlarms.Select(rate =>
        {
            var threshold = negative[(int)(rate * negative.Length)];
            return positive.Count(p => p > threshold) / (double)positive.Length;
        });
        Console.WriteLine($"{name,-10} {positive.Length,5} of {negative.Length,5}: {string.Join("  ", recalls.Select(r => r.ToString("F3", CultureInfo.InvariantCulture)))}");
    }
}
