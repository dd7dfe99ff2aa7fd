using PsyLite.Agent;
using Spectre.Console;

namespace PsyLite.Commands;

/// <summary>Writes a turn to the terminal as it comes: reasoning dimmed, then the reply.</summary>
internal sealed class TurnScreen(IAnsiConsole terminal)
{
    /// <summary>Wide enough that no line of piped output is broken.</summary>
    private const int PipedWidth = 10_000;
    private static readonly Style Dim = new(Color.Grey);
    private bool _isReasoning;
    private bool _hasText;

    /// <summary>The terminal, or plain text when the output goes elsewhere.</summary>
    public static IAnsiConsole OpenTerminal()
    {
        if (!Console.IsOutputRedirected)
        {
            return AnsiConsole.Console;
        }

        var plain = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors });
        plain.Profile.Width = PipedWidth;
        return plain;
    }

    public void Show(TurnEvent e)
    {
        switch (e)
        {
            case TurnEvent.ReasoningDelta delta when !Console.IsOutputRedirected:
                _isReasoning = true;
                terminal.Write(new Text(delta.Text, Dim));
                break;
            case TurnEvent.ReplyDelta delta:
                EndReasoning();
                Write(delta.Text);
                break;
            case TurnEvent.ReplyReplaced replaced:
                EndReasoning();
                Write((_hasText ? "\n\n" : "") + replaced.Text);
                break;
            case TurnEvent.Completed:
                terminal.WriteLine();
                terminal.WriteLine();
                break;
        }
    }

    private void EndReasoning()
    {
        if (_isReasoning)
        {
            _isReasoning = false;
            terminal.WriteLine();
            terminal.WriteLine();
        }
    }

    private void Write(string text)
    {
        _hasText = true;

        // Console's own writer: Spectre would wrap at its idea of the width and split words of a stream.
        Console.Out.Write(text);
        Console.Out.Flush();
    }
}
