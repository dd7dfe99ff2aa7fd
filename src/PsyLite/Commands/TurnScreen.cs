using PsyLite.Agent;
using Spectre.Console;

namespace PsyLite.Commands;

/// <summary>Writes a turn to the terminal as it comes: reasoning dimmed, then the reply.</summary>
internal sealed class TurnScreen
{
    private static readonly Style Dim = new(Color.Grey);
    private bool _isReasoning;
    private bool _hasText;

    public void Show(TurnEvent e)
    {
        switch (e)
        {
            case TurnEvent.ReasoningDelta delta when !Console.IsOutputRedirected:
                _isReasoning = true;
                AnsiConsole.Write(new Text(delta.Text, Dim));
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
                AnsiConsole.WriteLine();
                AnsiConsole.WriteLine();
                break;
        }
    }

    private void EndReasoning()
    {
        if (_isReasoning)
        {
            _isReasoning = false;
            AnsiConsole.WriteLine();
            AnsiConsole.WriteLine();
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
