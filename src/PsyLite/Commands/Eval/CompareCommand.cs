using System.CommandLine;
using System.Globalization;
using PsyLite.Evaluation.Comparing;
using PsyLite.Evaluation.Reports;

namespace PsyLite.Commands.Eval;

/// <summary><c>psylite eval compare</c>: runs of one benchmark on the same data, each against the first.</summary>
internal static class CompareCommand
{
    public static Command Create()
    {
        var folders = new Argument<string[]>("runs") { Description = "各次运行的文件夹，第一个是对照 · folders of runs, the first being what others are held against", Arity = new ArgumentArity(2, 32) };
        var target = new Option<string?>("--out") { Description = "比较报告写到这个文件夹 · folder for the comparison" };
        var command = new Command("compare", "成对比较几次运行 · paired comparison of runs\n  psylite eval compare reports/base reports/sft reports/orpo --out reports/stages") { folders, target };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var comparison = RunComparison.Of([.. parsed.GetRequiredValue(folders).Select(RunComparison.ReadRun)]);
            foreach (var remark in comparison.Remarks)
            {
                Console.WriteLine($"注意 note: {remark}");
            }

            foreach (var score in comparison.Scores)
            {
                var d = score.Paired.Difference;
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{score.Second} {score.Score}: {Rounded(d.Value):+0.0000;-0.0000;0.0000} [{Rounded(d.Low):0.0000}, {Rounded(d.High):0.0000}]  p = {score.Paired.PValue:0.0000}  n = {score.Paired.Pairs}{(score.LeftOut > 0 ? $", {score.LeftOut} left out" : "")}"));
            }

            if (parsed.GetValue(target) is { } folder)
            {
                folder = Directory.CreateDirectory(folder).FullName;
                await ReportJson.SaveAsync(Path.Combine(folder, "compare.json"), ReportJson.Write(comparison), cancellationToken);
                await ReportJson.SaveAsync(Path.Combine(folder, "compare.html"), ComparisonPage.Write(comparison), cancellationToken);
                Console.WriteLine(Path.Combine(folder, "compare.html"));
            }

            return CommandBoundary.Done;
        });
        return command;
    }

    /// <summary>Adding zero turns a negative zero into a plain one.</summary>
    private static double Rounded(double number) => Math.Round(number, 4) + 0.0;
}
