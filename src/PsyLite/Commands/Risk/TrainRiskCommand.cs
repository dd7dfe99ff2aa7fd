using System.CommandLine;
using System.Globalization;
using PsyLite.Agent.Risk.Learned;
using PsyLite.Evaluation.Safety;
using PsyLite.Training.Data;

namespace PsyLite.Commands.Risk;

/// <summary><c>psylite train risk</c>: the small classifier beside the rules, from labelled messages of one's own.</summary>
internal static class TrainRiskCommand
{
    public static Command Create()
    {
        var recipe = new Option<string?>("--recipe") { Description = "配方文件 · recipe (JSON)" };
        var set = new Option<string[]>("--set") { Description = "覆盖配方中的值，key=value · override a value of the recipe", Arity = ArgumentArity.OneOrMore };
        var without = new Option<string?>("--without") { Description = "不用这些文件训练，只用来检验（逗号分隔）· test on these files instead of training on them" };
        var command = new Command("risk", "训练风险分类器 · train the risk classifier\n  psylite train risk --recipe recipes/risk.json") { recipe, set, without };
        command.SetAction((parsed, cancellationToken) =>
        {
            Run(RiskRecipe.Read(parsed.GetValue(recipe), parsed.GetValue(set) ?? []), parsed.GetValue(without)?.Split(',') ?? [], cancellationToken);
            return Task.FromResult(CommandBoundary.Done);
        });
        return command;
    }

    private static void Run(RiskRecipe recipe, string[] without, CancellationToken cancellationToken)
    {
        var messages = LabelledSet.ReadFolder(recipe.Data);
        bool IsForTest(LabelledMessage m) => without.Length > 0 ? without.Contains(m.Source) : m.IsHeldBack;
        var requests = LabelledRequest.ReadFolder(recipe.Requests);
        RiskExample[] examples =
        [
            .. RiskExample.Of(messages.Where(m => !IsForTest(m))),
            .. RiskExample.OfConversations(TextCorpus.Read(recipe.Conversations)),
            .. RiskExample.OfRequests(requests.Where(r => !r.IsHeldBack)),
            .. MixedPosts.Of(messages.Where(m => !IsForTest(m)), recipe.MixedPosts, recipe.Seed),
        ];
        var parameters = new RiskTraining(recipe).Run(examples, Report, cancellationToken);
        var file = TrainingFeatures.File(parameters);
        var trial = new RiskTrial(file);
        trial.Print(messages.Where(IsForTest));
        trial.Print(requests.Where(r => r.IsHeldBack));
        if (without.Length == 0)
        {
            var temporary = recipe.Out + ".tmp";
            File.WriteAllBytes(temporary, file);
            File.Move(temporary, recipe.Out, overwrite: true);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{recipe.Out}: {parameters.Features.Length} features, {file.Length / 1024.0:F0} KiB"));
        }
    }

    private static void Report(int epoch, double loss) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"epoch {epoch} loss {loss:F4}"));
}
