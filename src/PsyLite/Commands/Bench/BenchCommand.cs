using System.CommandLine;

namespace PsyLite.Commands.Bench;

/// <summary><c>psylite bench</c>: measurements as JSON lines, beside a peer where one is installed.</summary>
internal static class BenchCommand
{
    public static Command Create()
    {
        var command = new Command("bench", "测速 · measurements, one JSON object a line");
        command.Subcommands.Add(TrainBench.Create());
        command.Subcommands.Add(EngineBench.Create());
        command.Subcommands.Add(TurnBench.Create());
        command.Subcommands.Add(ReopenBench.Create());
        command.Subcommands.Add(SoakBench.Create());
        command.Subcommands.Add(ServeBench.Create());
        command.Subcommands.Add(AssessBench.Create());
        command.Subcommands.Add(RetrievalBench.Create());
        return command;
    }
}
