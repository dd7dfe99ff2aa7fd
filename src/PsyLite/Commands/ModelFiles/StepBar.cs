using Spectre.Console;

namespace PsyLite.Commands.ModelFiles;

/// <summary>One line with steps done of all, on a terminal; nothing when the output is piped.</summary>
internal sealed class StepBar(string title) : IDisposable
{
    private const int Cells = 30;
    private readonly IAnsiConsole? _console = Console.IsErrorRedirected ? null : AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
    private bool _isShown;

    public void Show(int done, int all)
    {
        if (_console is not null && all > 0)
        {
            var filled = Math.Clamp(done * Cells / all, 0, Cells);
            _console.Markup($"\r{Markup.Escape(title)} [green]{new string('━', filled)}[/][grey]{new string('━', Cells - filled)}[/] {done}/{all} ");
            _isShown = true;
        }
    }

    public void Dispose()
    {
        if (_isShown)
        {
            _console!.WriteLine();
        }
    }
}
