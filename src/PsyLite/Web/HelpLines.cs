using PsyLite.Agent.Crisis;

namespace PsyLite.Web;

/// <summary>The three numbers that the page always shows, from the agent's directory.</summary>
public sealed class HelpLines(HotlineDirectory directory)
{
    public string Lifeline { get; } = Number(directory, "cn.lifeline");

    public string Ambulance { get; } = Number(directory, "cn.ambulance");

    public string Police { get; } = Number(directory, "cn.police");

    private static string Number(HotlineDirectory directory, string id) => directory.Lines.First(l => l.Id == id).Number;
}
