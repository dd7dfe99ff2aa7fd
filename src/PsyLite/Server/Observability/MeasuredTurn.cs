using System.Diagnostics;
using PsyLite.Agent;

namespace PsyLite.Server.Observability;

/// <summary>One turn under observation.</summary>
internal sealed class MeasuredTurn : IDisposable
{
    private readonly Telemetry _telemetry;
    private readonly string _surface;
    private readonly Activity? _trace;
    private readonly long _started;
    private bool _isWaiting = true;
    private bool _isFinished;

    public MeasuredTurn(Telemetry telemetry, string surface, Activity? trace)
    {
        (_telemetry, _surface, _trace) = (telemetry, surface, trace);
        _started = telemetry.Time.GetTimestamp();
        telemetry.Waits(1);
    }

    public void Saw(TurnEvent e)
    {
        if (e is not TurnEvent.Assessed)
        {
            StopWaiting();
        }

        switch (e)
        {
            case TurnEvent.ReplyReplaced replaced:
                _telemetry.Cut(replaced.Rule);
                _trace?.AddEvent(new ActivityEvent("guard", tags: new ActivityTagsCollection { ["psylite.rule"] = replaced.Rule }));
                break;
            case TurnEvent.CrosstalkOffered:
                _telemetry.Offered();
                break;
            case TurnEvent.Completed completed:
                _isFinished = true;
                _telemetry.Finished(_surface, completed.Result);
                if (_trace is not null)
                {
                    _telemetry.Trace(_trace, completed.Result);
                }

                break;
        }
    }

    public void Dispose()
    {
        StopWaiting();
        if (!_isFinished)
        {
            _telemetry.Left(_surface, _telemetry.Time.GetElapsedTime(_started));
        }

        _trace?.Dispose();
    }

    private void StopWaiting()
    {
        if (_isWaiting)
        {
            _isWaiting = false;
            _telemetry.Waits(-1);
        }
    }
}
