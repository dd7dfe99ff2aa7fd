using System.CommandLine;
using System.Diagnostics;
using PsyLite.Agent.Risk;

namespace PsyLite.Commands;

/// <summary><c>psylite bench assess</c>: assessments a second on one core, and the slow end for long messages.</summary>
internal static class AssessBench
{
    private static readonly string[] Messages =
    [
        "最近总是失眠，工作压力很大", "我不想活了，药已经买好了", "笑死我了哈哈", "今天升职了，太开心啦", "室友说不想活我怎么帮她", "跟男朋友吵架了，好难过", "在吗",
        "孩子写作业磨蹭到十一点，我吼了他又后悔", "屈原为什么投江", "我裂开了，代码跑不通不如重开一局", "唔想再捱落去", "想睡一觉就别再醒", "下雨天心情不好", "面试又没过，感觉自己好差劲",
    ];

    public static Command Create()
    {
        var seconds = new Option<int>("--seconds") { Description = "每轮秒数 · seconds a round", DefaultValueFactory = _ => 1 };
        var command = new Command("assess", "风险判断速度 · speed of the risk assessment\n  psylite bench assess") { seconds };
        command.SetAction((parsed, _) =>
        {
            var assessor = new RiskAssessor();
            var rates = Enumerable.Range(0, 6).Select(_ => Rate(assessor, TimeSpan.FromSeconds(parsed.GetValue(seconds)))).Skip(1);
            new BenchLine("assess", "messages of everyday length, one core", "opsPerSec", BenchLine.Median(rates), "1/s").Print();
            new BenchLine("assess", "message of 500 characters", "p99Ms", Percentile99(assessor), "ms").Print();
            return Task.FromResult(CommandBoundary.Done);
        });
        return command;
    }

    private static double Rate(RiskAssessor assessor, TimeSpan duration)
    {
        var clock = Stopwatch.StartNew();
        long count = 0;
        while (clock.Elapsed < duration)
        {
            foreach (var message in Messages)
            {
                assessor.Assess(message);
                count++;
            }
        }

        return count / clock.Elapsed.TotalSeconds;
    }

    private static double Percentile99(RiskAssessor assessor)
    {
        var text = string.Concat(Enumerable.Repeat(string.Join('。', Messages.Where((_, i) => i % 2 == 0)), 10))[..500];
        var times = Enumerable.Range(0, 2000).Select(_ =>
        {
            var start = Stopwatch.GetTimestamp();
            assessor.Assess(text);
            return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }).Skip(500).Order().ToArray();
        return times[(int)(times.Length * 0.99)];
    }
}
