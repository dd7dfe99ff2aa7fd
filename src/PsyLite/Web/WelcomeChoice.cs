using PsyLite.Store.Conversations;

namespace PsyLite.Web;

/// <summary>What a person chose at their first visit. A child under 14 comes this far only with a guardian's consent.</summary>
public sealed record WelcomeChoice(AgeGroup Age, bool Keeps);
