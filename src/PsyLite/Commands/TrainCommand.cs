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
        var command = new Command(name, $"{description}\n  psylite train {name} --recipe recipes/{example} --set steps=200") { recipe, resume, set };
        command.SetAction((parsed, cancellationToken) =>
        {
            var options = RecipeOptions.Read(parsed.GetRequiredValue(recipe), parsed.GetValue(set) ?? []);
            Run(name, options, parsed.GetValue(resume), cancellationToken);
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
