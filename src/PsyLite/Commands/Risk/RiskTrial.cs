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
        var scored = messages.Where(m => !m.IsDialogue).Select(m => (Message: m, Scores: _features.Score(file, m.Text))).ToList();
        Console.WriteLine($"{scored.Count} messages held back; recall at 1, 3, 5 and 10 % false alarms");
        double[] Scores(Func<LabelledMessage, bool> which, RiskOutput output) => [.. scored.Where(s => which(s.Message)).Select(s => (double)s.Scores[(int)output]).OrderDescending()];
        var calm = Scores(m => m.Tier == Tier.T0, RiskOutput.Danger);
        Line("T2-T4", Scores(m => m.Tier is Tier.T2 or Tier.T3 or Tier.T4, RiskOutput.Danger), calm);
        Line("T3-T4", Scores(m => m.Tier is Tier.T3 or Tier.T4, RiskOutput.Danger), calm);
        Line("TO", Scores(m => m.Tier is Tier.TO, RiskOutput.Danger), calm);
        Line("TA", Scores(m => m.Tier is Tier.TA, RiskOutput.Danger), calm);
        Line("TF", Scores(m => m.Tier is Tier.TF, RiskOutput.Friend), Scores(m => m.Tier == Tier.T0, RiskOutput.Friend));
        Line("happy", Scores(m => m.Mood == LabelledMood.Happy, RiskOutput.Happy), Scores(m => m.Mood != LabelledMood.Happy, RiskOutput.Happy));
        foreach (var source in scored.GroupBy(s => s.Message.Source))
        {
            Line($"T2-T4 {source.Key}", [.. source.Where(s => s.Message.Tier is Tier.T2 or Tier.T3 or Tier.T4).Select(s => (double)s.Scores[0])], calm);
        }
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
