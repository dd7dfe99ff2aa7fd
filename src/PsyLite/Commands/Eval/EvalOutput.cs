using System.Globalization;
using PsyLite.Evaluation.Reports;
using PsyLite.Evaluation.Runs;

namespace PsyLite.Commands.Eval;

/// <summary>Writes a report as JSON and as a page, and says the main numbers.</summary>
internal static class EvalOutput
{
    public static async Task WriteAsync<T>(string folder, string name, T report, string page, IReadOnlyList<Figure> figures, RunManifest manifest, CancellationToken cancellationToken)
    {
        await ReportJson.SaveAsync(Path.Combine(folder, name + ".json"), ReportJson.Write(report), cancellationToken);
        await ReportJson.SaveAsync(Path.Combine(folder, name + ".html"), page, cancellationToken);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{manifest.Benchmark} {manifest.Variant}: {manifest.Name}, {manifest.Seconds:0.0} s, {manifest.AnswersAdded} answers, {manifest.AnswersFound} from before"));
        foreach (var figure in figures.Where(f => f.Estimate.Units > 0))
        {
            var (value, scale) = figure.IsShare ? (100.0, " %") : (1.0, "");
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{figure.Chinese} {figure.English}: {figure.Estimate.Value * value:0.00}{scale} [{figure.Estimate.Low * value:0.00}, {figure.Estimate.High * value:0.00}]"));
        }

        Console.WriteLine(Path.Combine(folder, name + ".html"));
    }
}
