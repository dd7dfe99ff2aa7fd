using System.CommandLine;
using System.Globalization;
using PsyLite.Training;
using Spectre.Console;

namespace PsyLite.Commands;

/// <summary><c>psylite train</c>: one subcommand per stage, each driven by a recipe file.</summary>
internal static class TrainCommand
{
    public static Command Create()
    {
        var command = new Command("train", "训练 · train a model of one's own");
        command.Subcommands.Add(Stage("pretrain", "预训练：所有词元计入损失 · pretraining, loss on every token", "mini.pretrain.json"));
        command.Subcommands.Add(Stage("sft", "监督微调：只学最后一次回复 · supervised fine-tuning, loss on the last reply", "mini.sft-lora.json"));
        command.Subcommands.Add(Stage("orpo", "偏好训练：更好的回复对较差的 · preference training (ORPO) on pairs of replies", "mini.orpo.json"));
        command.Subcommands.Add(TokenizerCommand.Create());
        command.Subcommands.Add(Risk.TrainRiskCommand.Create());
        return command;
    }

    private static Command Stage(string name, string description, string example)
    {
        var recipe = new Option<string>("--recipe") { Description = "配方文件 · recipe (JSON)", Required = true };
        var resume = new Option<bool>("--resume") { Description = "从上次的检查点继续 · continue from the last checkpoint" };
        var set = new Option<string[]>("--set") { Description = "覆盖配方中的值，key=value · override a value of the recipe", Arity = ArgumentArity.OneOrMore };
        var dryRun = new Option<bool>("--dry-run") { Description = "只估算内存、步数与时间 · only tell memory, steps, tokens and time" };
        var command = new Command(name, $"{description}\n  psylite train {name} --recipe recipes/{example} --set steps=200") { recipe, resume, set, dryRun };
        var export = name == "pretrain" ? null : new EngineExport(command);
        command.SetAction((parsed, cancellationToken) =>
        {
            var options = RecipeOptions.Read(parsed.GetRequiredValue(recipe), parsed.GetValue(set) ?? []);
            if (parsed.GetValue(dryRun))
            {
                Print(options, TrainingPlan.For(options, DataCommand.Prompts, preferences: name == "orpo"));
            }
            else if (export?.Wanted(parsed) is not true)
            {
                Run(name, options, parsed.GetValue(resume), cancellationToken);
            }
            else
            {
                export.Write(parsed, options, preferences: name == "orpo");
            }

            return Task.FromResult(CommandBoundary.Done);
        });
        return command;
    }

    private static void Run(string stage, RecipeOptions options, bool resume, CancellationToken cancellationToken)
    {
        void Train(IProgress<StepReport> progress)
        {
            if (stage == "orpo")
            {
                OrpoRecipe.Run(options, resume, progress, cancellationToken);
            }
            else
            {
                SftRecipe.Run(options, DataCommand.Prompts, resume, progress, cancellationToken);
            }
        }

        if (Console.IsOutputRedirected)
        {
            Train(new Lines());
            return;
        }

        AnsiConsole.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context => Train(new Bar(context.AddTask(options.Name, maxValue: options.Steps))));
    }

    private static void Print(RecipeOptions options, TrainingPlan plan)
    {
        void Line(string label, FormattableString text) => Console.WriteLine($"{label}: {FormattableString.Invariant(text)}");
        var lora = options.Lora is { } adapters ? $"LoRA r {adapters.Rank}, {options.Quantisation}" : "all weights";
        Line("配方 · recipe", $"{options.Name}; {plan.Weights:N0} weights, {plan.Trained:N0} trained ({lora})");
        Line("内存 · memory", $"{plan.TotalBytes / 1e9:F2} GB = frozen weights {plan.WeightBytes / 1e9:F2} + trained values, gradients and moments {plan.TrainedBytes / 1e9:F2} + activations {plan.ActivationBytes / 1e9:F2} + program");
        if (GC.GetGCMemoryInfo().TotalAvailableMemoryBytes is var available && plan.TotalBytes > available)
        {
            Line("内存不足 · too little memory", $"this machine has {available / 1e9:F2} GB; set recompute=true, quantisation=nf4 or a smaller rowTokens");
        }

        if (plan is { Steps: { } steps, Tokens: { } tokens, Time: { } time })
        {
            Line("步数 · steps", $"{steps:N0} of {options.Batch} x {options.Accumulation} rows, {tokens:N0} tokens");
            Line("时间 · time", $"about {(time.TotalHours >= 1 ? FormattableString.Invariant($"{time.TotalHours:N1} h") : FormattableString.Invariant($"{Math.Max(1, time.TotalMinutes):N0} min"))} at {options.Threads} threads (large products reach {plan.GigaFlops:N0} GFLOP/s here)");
        }
        else
        {
            Line("步数 · steps", $"unknown: {plan.Missing}");
        }
    }

    /// <summary>Piped output: a line with each validation pass only.</summary>
    private sealed class Lines : IProgress<StepReport>
    {
        public void Report(StepReport value)
        {
            if (value.ValidationLoss is { } held)
            {
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"step {value.Step}/{value.Steps} loss {value.Loss:F4} validation {held:F4} {Pairs(value)}lr {value.LearningRate:E2} {value.TokensPerSecond:F0} tokens/s"));
            }
        }
    }

    private static string Pairs(StepReport value) => value.Preference is { } pairs
        ? string.Create(CultureInfo.InvariantCulture, $"acc {value.HeldOut?.RewardAccuracy ?? pairs.RewardAccuracy:F2} margin {value.HeldOut?.RewardMargin ?? pairs.RewardMargin:F3} ")
        : "";

    private sealed class Bar(ProgressTask task) : IProgress<StepReport>
    {
        private double? _held;

        public void Report(StepReport value)
        {
            _held = value.ValidationLoss ?? _held;
            (task.Value, task.MaxValue) = (value.Step, value.Steps);
            task.Description = string.Create(CultureInfo.InvariantCulture,
                $"loss {value.Loss:F3} val {(_held is { } held ? held.ToString("F3", CultureInfo.InvariantCulture) : "-")} {Pairs(value)}{value.TokensPerSecond:F0} tok/s");
        }
    }
}
