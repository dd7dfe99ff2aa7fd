using System.Diagnostics;
using PsyLite.ModelStore;
using Spectre.Console;

namespace PsyLite.Commands;

/// <summary>One line with bytes done, pace and time left, on a terminal; nothing at all when the output is piped.</summary>
internal sealed class TransferBar : IPullMeter
{
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(200);
    private const int Cells = 30;
    private readonly Lock _gate = new();
    private readonly IAnsiConsole? _console;
    private readonly string _title;
    private readonly long _total;
    private readonly long _started = Stopwatch.GetTimestamp();
    private long _shown;
    private long _first;
    private long _done;

    public TransferBar(string title, long total, long done = 0)
        : this(title, total, done, Console.IsErrorRedirected ? null : AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) }))
    {
    }

    internal TransferBar(string title, long total, long done, IAnsiConsole? console) =>
        (_title, _total, _first, _done, _console) = (title, total, done, done, console);

    /// <summary>Counts more bytes, or takes back (a negative number) those that must be fetched again.</summary>
    public void Add(long bytes)
    {
        lock (_gate)
        {
            _done += bytes;
            if (_console is not null && (_shown == 0 || Stopwatch.GetElapsedTime(_shown) >= Between))
            {
                _shown = Stopwatch.GetTimestamp();
                Draw();
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_console is not null && _shown != 0)
            {
                Draw();
                _console.WriteLine();
            }
        }
    }

    private void Draw()
    {
        var share = _total > 0 ? Math.Clamp((double)_done / _total, 0, 1) : 0;
        var filled = (int)(share * Cells);
        var pace = Math.Max(_done - _first, 0) / Math.Max(Stopwatch.GetElapsedTime(_started).TotalSeconds, 0.001);
        var left = pace > 0 ? TimeSpan.FromSeconds(Math.Min((_total - _done) / pace, 359_999)) : TimeSpan.Zero;
        var text = $"\r{Markup.Escape(_title)} [green]{new string('━', filled)}[/][grey]{new string('━', Cells - filled)}[/] {share:P0} {_done / 1e6:F0}/{_total / 1e6:F0} MB {pace / 1e6:F1} MB/s {left:hh\\:mm\\:ss} ";
        _console!.Markup(text);
    }
}
