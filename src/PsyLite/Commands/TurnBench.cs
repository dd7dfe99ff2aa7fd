using System.CommandLine;
using Microsoft.Extensions.AI;
using PsyLite.Agent;
using PsyLite.Options;

namespace PsyLite.Commands;

/// <summary><c>psylite bench turn</c>: time to the first token of a turn, with the mood judge and without.</summary>
internal static class TurnBench
{
    private static readonly string[] Openings = ["今天做了一顿饭", "周末想出去走走", "我在学画画", "下班路上看到了晚霞", "最近在看一本书", "想换个发型", "家里的猫睡着了", "明天要见老同学", "刚跑完步回来", "在想晚饭吃什么", "收拾了一下午屋子"];

    public static Command Create()
    {
        var model = new Option<string?>("--model") { Description = "GGUF" };
        var command = new Command("turn", "首字延迟 · time to first token of a turn\n  psylite bench turn") { model };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var options = AppOptions.FromEnvironment();
            using var composition = Composition.Create(options with { Model = parsed.GetValue(model) ?? options.Model });
            composition.Model.Start();
            await composition.Model.Settled;
            await TimesAsync(composition.Pipeline, judged: true, cancellationToken);
            var judged = BenchLine.Median(await TimesAsync(composition.Pipeline, judged: true, cancellationToken));
            var plain = BenchLine.Median(await TimesAsync(composition.Pipeline, judged: false, cancellationToken));
            new BenchLine("turn", "first token, judged turn", "ttftMs", judged, "ms", "unjudged turn", plain).Print();
            return CommandBoundary.Done;
        });
        return command;
    }

    private static async Task<List<double>> TimesAsync(TurnPipeline pipeline, bool judged, CancellationToken cancellationToken)
    {
        var times = new List<double>();
        foreach (var opening in Openings)
        {
            var request = new TurnRequest([new ChatMessage(ChatRole.User, opening)], new ConversationState()) { HumourAllowed = judged };
            await foreach (var e in pipeline.RunAsync(request, cancellationToken))
            {
                if (e is TurnEvent.Completed completed)
                {
                    times.Add(completed.Result.Timings.FirstTokenMs);
                }
            }
        }

        return times;
    }
}
