using System.Text;

namespace PsyLite.Engine;

/// <summary>
/// Text on its way from the decoding thread to one asynchronous reader. The writer hands over at most every few
/// milliseconds, since waking the reader for each token would cost a small model a tenth of its speed.
/// </summary>
internal sealed class TextHandover
{
    private readonly Lock gate = new();
    private readonly StringBuilder text = new();
    private TaskCompletionSource? waiting;
    private Exception? failure;
    private bool complete;

    /// <summary>Gives text to the reader and empties the builder.</summary>
    public void Write(StringBuilder part)
    {
        lock (gate)
        {
            text.Append(part);
            Wake();
        }

        part.Clear();
    }

    /// <summary>Ends the text, with the failure that the reader shall see if there was one.</summary>
    public void Complete(Exception? error = null)
    {
        lock (gate)
        {
            failure = error;
            complete = true;
            Wake();
        }
    }

    /// <summary>All text written since the last call, waiting for some; null at the end.</summary>
    public async ValueTask<string?> ReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task arrival;
            lock (gate)
            {
                if (text.Length > 0)
                {
                    var part = text.ToString();
                    text.Clear();
                    return part;
                }

                if (complete)
                {
                    return failure is null ? null : throw failure;
                }

                waiting ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                arrival = waiting.Task;
            }

            await arrival.WaitAsync(cancellationToken);
        }
    }

    private void Wake()
    {
        waiting?.TrySetResult();
        waiting = null;
    }
}
