using System.CommandLine;
using System.Diagnostics;
using PsyLite.Agent.Risk;
using PsyLite.Evaluation.Safety;

namespace PsyLite.Commands.Bench;

/// <summary><c>psylite bench assess</c>: assessments a second on one core, and the slow end for long messages.</summary>
internal static class AssessBench
{
    /// <summary>Messages of the labelled set that are judged over and over: enough that none stays in the nearest cache.</summary>
    private const int MessageCount = 2000;
    private const int LongTexts = 1000;
    private const int LongText = 500;

    public static Command Create()
    {
        var seconds = new Option<int>("--seconds") { Description = "每轮秒数 · seconds a round", DefaultValueFactory = _ => 3 };
        var data = new Option<string>("--data") { Description = "标注语料文件夹 · folder of labelled messages", DefaultValueFactory = _ => "corpora/risk" };
        var command = new Command("assess", "风险判断速度 · speed of the risk assessment\n  psylite bench assess") { seconds, data };
        command.SetAction(async (parsed, _) =>
        {
            string[] all = [.. LabelledSet.ReadFolder(parsed.GetRequiredValue(data)).Where(m => !m.IsDialogue).Select(m => m.Text)];
            new Random(1).Shuffle(all);
            string[] messages = [.. all.Take(MessageCount)];
            var assessor = new RiskAssessor();
            await assessor.PrepareAsync();
            var rates = Enumerable.Range(0, 6).Select(_ => Rate(assessor, messages, TimeSpan.FromSeconds(parsed.GetValue(seconds)))).Skip(1);
            new BenchLine("assess", $"messages of everyday length ({messages.Average(m => m.Length):F0} characters), one core", "opsPerSec", BenchLine.Median(rates), "1/s").Print();
            var (median, slowest) = Times(assessor, all);
            new BenchLine("assess", $"message of {LongText} characters", "p50Ms", median, "ms").Print();
            new BenchLine("assess", $"message of {LongText} characters", "p99Ms", slowest, "ms").Print();
            return CommandBoundary.Done;
        });
        return command;
    }

    private static double Rate(RiskAssessor assessor, string[] messages, TimeSpan duration)
    {
        var clock = Stopwatch.StartNew();
        long count = 0;
        while (clock.Elapsed < duration)
        {
            foreach (var message in messages)
            {
                assessor.Assess(message);
            }

            count += messages.Length;
        }

        return count / clock.Elapsed.TotalSeconds;
    }

    /// <summary>Median and 99th percentile in milliseconds over texts glued together from the set, after two passes to warm up.</summary>
    private static (double Median, double Slowest) Times(RiskAssessor assessor, string[] messages)
    {
        var all = string.Join('。', messages);
        var count = Math.Min(LongTexts, all.Length / LongText);
        string[] texts = [.. Enumerable.Range(0, count).Select(i => all.Substring(i * LongText, LongText))];
        foreach (var text in texts.Concat(texts))
        {
            assessor.Assess(text);
        }

        var times = texts.Select(t =>
        {
            var start = Stopwatch.GetTimestamp();
            assessor.Assess(t);
            return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }).Order().ToArray();
        return (times[times.Length / 2], times[(int)(times.Length * 0.99)]);
    }
}
