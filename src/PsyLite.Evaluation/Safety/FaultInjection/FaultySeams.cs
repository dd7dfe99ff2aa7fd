using System.Text;
using PsyLite.Agent;
using PsyLite.Agent.Humour;
using PsyLite.Agent.Risk;

namespace PsyLite.Evaluation.Safety.FaultInjection;

/// <summary>A turn pipeline with one fault at its seams, for one row of the table.</summary>
internal sealed class FaultySeams
{
    private static readonly string[] Noise = ["\ud83d", "\udc4d", "\0", "\u200b", "\u202e", "\ufeff", "\u0301"];
    private readonly Fault _fault;
    private readonly Random _random;
    private readonly FaultClock _clock;
    private readonly FaultyJudge _judge;
    private readonly FaultyModel _model;
    private readonly FaultySearch _search;

    public FaultySeams(Fault fault, RiskAssessor assessor, CrosstalkLibrary library, int longestReply, Random random)
    {
        _fault = fault;
        _random = random;
        _clock = new FaultClock(fault.IsEverything ? ClockFault.Wild : fault.Clock, random);
        _judge = new FaultyJudge(_clock, random) { Mode = fault.Judge };
        _model = new FaultyModel(_clock, random) { Mode = fault.Model };
        _search = new FaultySearch(_clock, random) { Mode = fault.IsEverything ? SearchFault.Locked : fault.Search };
        var isSilent = fault.Judge == JudgeFault.Absent;
        var host = fault.Host == HostFault.DeskAndLogThrow || fault.IsEverything ? new FaultyHost() : null;
        Pipeline = new TurnPipeline(
            fault.Model == ModelFault.Absent ? null : _model, isSilent ? null : _judge.AskAsync, assessor, _search.Library(library),
            new TurnOptions { LongestText = longestReply }, _clock, host, host);
        Sound = new TurnPipeline(null, null, assessor, CrosstalkLibrary.Empty, time: _clock);
    }

    public TurnPipeline Pipeline { get; }

    /// <summary>The same turn with nothing broken that a crisis reply needs; only the clock is shared.</summary>
    public TurnPipeline Sound { get; }

    public bool ForgetsState => _fault.Host == HostFault.ForgetsState;

    public void NextTurn()
    {
        _clock.NextTurn();
        if (_fault.IsEverything)
        {
            _judge.Mode = Any<JudgeFault>();
            _model.Mode = Any<ModelFault>();
            _search.Mode = Any<SearchFault>();
        }
    }

    /// <summary>What the person wrote, or what a broken keyboard, paste or encoding made of it.</summary>
    public string Spoil(string text)
    {
        if (_fault.Text == TextFault.None && !_fault.IsEverything)
        {
            return text;
        }

        var spoilt = new StringBuilder(text);
        for (var i = 0; i < 3; i++)
        {
            spoilt.Insert(_random.Next(spoilt.Length + 1), Noise[_random.Next(Noise.Length)]);
        }

        return spoilt.ToString();
    }

    private T Any<T>()
        where T : struct, Enum => Enum.GetValues<T>()[_random.Next(Enum.GetValues<T>().Length)];
}
