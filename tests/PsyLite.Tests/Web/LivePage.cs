using Microsoft.Extensions.AI;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using PsyLite.Agent;
using PsyLite.Agent.Humour;
using PsyLite.Agent.Risk;
using PsyLite.Server;
using PsyLite.Server.Observability;
using PsyLite.Store.Conversations;
using PsyLite.Web.Live;

namespace PsyLite.Tests.Web;

/// <summary>What stands behind the page, over a model of the test's choosing and two stores in memory.</summary>
internal sealed class LivePage : IDisposable
{
    public const string Owner = "a";
    private static readonly RiskAssessor Assessor = new();

    public LivePage(IChatClient model, TimeProvider? time = null)
    {
        time ??= TimeProvider.System;
        Telemetry = new Telemetry(NullLogger<Telemetry>.Instance, time);
        Exporter = new PrometheusExporter(Telemetry.Meter);
        var pipeline = new TurnPipeline(model, null, Assessor, CrosstalkLibrary.Empty, time: time);
        var open = new OpenTurns(new ApplicationLifetime(NullLogger<ApplicationLifetime>.Instance), new ServerLimits());
        var room = new TurnRoom(new RecordedTurns(pipeline, Assessor, CrosstalkLibrary.Empty, time), CrosstalkLibrary.Empty, Telemetry, open, NullLogger<LiveConversation>.Instance);
        Records = new PersonRecords(StoreSource.Of(new MemoryConversationStore(time)), StoreSource.Of(new MemoryConversationStore(time)), time);
        Conversations = new LiveConversations(room, Records, time);
    }

    public Telemetry Telemetry { get; }

    public PrometheusExporter Exporter { get; }

    public PersonRecords Records { get; }

    public LiveConversations Conversations { get; }

    public LiveConversation Start(bool isTemporary = false) => Conversations.Start(Owner, new PersonSettings(), isTemporary);

    /// <summary>One whole turn.</summary>
    public static async Task SayAsync(LiveConversation conversation, string text)
    {
        Assert.True(conversation.Send(text));
        await conversation.Running;
    }

    public void Dispose()
    {
        Conversations.Dispose();
        Exporter.Dispose();
        Telemetry.Dispose();
    }
}
