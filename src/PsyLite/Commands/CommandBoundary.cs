using System.CommandLine;

namespace PsyLite.Commands;

/// <summary>The one place where a command's exceptions become an exit code and one line on standard error.</summary>
internal static class CommandBoundary
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int WrongUse = 2;
    public const int Stopped = 130;

    /// <summary>How long a command that was told to stop may take: the server lets running turns finish.</summary>
    private static readonly TimeSpan LongestStop = TimeSpan.FromSeconds(45);

    public static async Task<int> RunAsync(RootCommand root, string[] args)
    {
        // Never disposed: a signal may come, and its handler run, until the very end of the process.
        var stop = new CancellationTokenSource();
        Console.CancelKeyPress += (_, e) =>
        {
            e.Cancel = true;
            stop.Cancel();
        };
        var parsed = root.Parse(args);
        try
        {
            var code = await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = LongestStop }, stop.Token);
            return parsed.Errors.Count > 0 ? WrongUse : code;
        }
        catch (OperationCanceledException)
        {
            return Stopped;
        }
        catch (Exception e)
        {
            Console.Error.WriteLine($"psylite: {e.Message.ReplaceLineEndings(" ")}");
            return Failed;
        }
    }
}
